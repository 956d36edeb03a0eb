import { randomBytes } from 'node:crypto';
import { completeState, findElement, foreignOption, withIds } from './elements.js';
import { inspectView } from './inspection.js';
import {
  type Fields,
  fieldsOf,
  isFields,
  SlackError,
  type StateValues,
  stringOf,
  type View,
} from './protocol.js';
import type { Workspace } from './workspace.js';

/** A modal and two on top of it. */
const STACK_LIMIT = 3;

interface Place {
  readonly id: string;
  readonly root_view_id: string;
  readonly previous_view_id: string | null;
  readonly entered: StateValues;
}

/** The whole view object that Slack keeps and sends, made from what the app gave. */
function viewFrom(workspace: Workspace, given: Fields, place: Place): View {
  const blocks = withIds(given.blocks);
  return {
    id: place.id,
    team_id: workspace.team.id,
    type: given.type === 'home' ? 'home' : 'modal',
    blocks,
    private_metadata: stringOf(given.private_metadata),
    callback_id: stringOf(given.callback_id),
    state: { values: completeState(blocks, place.entered) },
    hash: `${Math.floor(workspace.clock() / 1000)}.${randomBytes(6).toString('base64url')}`,
    title: given.title ?? { type: 'plain_text', text: 'View Title', emoji: true },
    clear_on_close: given.clear_on_close === true,
    notify_on_close: given.notify_on_close === true,
    close: given.close ?? null,
    submit: given.submit ?? null,
    previous_view_id: place.previous_view_id,
    root_view_id: place.root_view_id,
    app_id: workspace.app.id,
    external_id: stringOf(given.external_id),
    app_installed_team_id: workspace.team.id,
    bot_id: workspace.app.bot_id,
  };
}

function checkExternalId(workspace: Workspace, given: Fields, besides: string | null): void {
  if (!given.external_id) return;
  const all = [...workspace.stacks.values()].flat().concat([...workspace.homes.values()]);
  if (all.some((view) => view.external_id === given.external_id && view.id !== besides)) {
    throw new SlackError('duplicate_external_id');
  }
}

export function stackOf(workspace: Workspace, userId: string): View[] {
  return workspace.stacks.get(userId) ?? [];
}

/** Opens a modal on its own: what the person had open before is gone, as nothing else could have stayed on screen. */
export function openView(workspace: Workspace, userId: string, given: Fields, where = 'views.open'): View {
  inspectView(workspace, where, given, 'modal');
  checkExternalId(workspace, given, null);
  const id = workspace.id('V');
  const view = viewFrom(workspace, given, { id, root_view_id: id, previous_view_id: null, entered: {} });
  workspace.stacks.set(userId, [view]);
  workspace.changed();
  return view;
}

/** Errors: `not_found` (nothing to push upon), `push_limit_reached` (three views already). */
export function pushView(workspace: Workspace, userId: string, given: Fields, where = 'views.push'): View {
  const stack = stackOf(workspace, userId);
  const top = stack.at(-1);
  if (!top) throw new SlackError('not_found');
  if (stack.length >= STACK_LIMIT) throw new SlackError('push_limit_reached');
  inspectView(workspace, where, given, 'modal');
  checkExternalId(workspace, given, null);
  const id = workspace.id('V');
  const view = viewFrom(workspace, given, {
    id,
    root_view_id: top.root_view_id,
    previous_view_id: top.id,
    entered: {},
  });
  workspace.stacks.set(userId, [...stack, view]);
  workspace.changed();
  return view;
}

function ownerOf(workspace: Workspace, matches: (view: View) => boolean): { user: string; view: View } {
  for (const [user, stack] of workspace.stacks) {
    const view = stack.find(matches);
    if (view) return { user, view };
  }
  for (const [user, view] of workspace.homes) if (matches(view)) return { user, view };
  throw new SlackError('not_found');
}

/** Replaces the content of an open view; what the person entered stays where block_id, action_id and type stay. */
export function replaceView(workspace: Workspace, viewId: string, given: Fields, where: string): View {
  const { user, view: old } = ownerOf(workspace, (view) => view.id === viewId);
  inspectView(workspace, where, given, old.type);
  checkExternalId(workspace, given, old.id);
  const view = viewFrom(workspace, given, {
    id: old.id,
    root_view_id: old.root_view_id,
    previous_view_id: old.previous_view_id,
    entered: old.state.values,
  });
  if (old.type === 'home') workspace.homes.set(user, view);
  else {
    const stack = stackOf(workspace, user);
    workspace.stacks.set(
      user,
      stack.map((other) => (other.id === old.id ? view : other)),
    );
  }
  workspace.changed();
  return view;
}

/** Takes a view, and whatever lies on it, off the stack. */
export function closeView(workspace: Workspace, userId: string, viewId: string): void {
  const stack = stackOf(workspace, userId);
  const at = stack.findIndex((view) => view.id === viewId);
  if (at >= 0) workspace.stacks.set(userId, stack.slice(0, at));
  workspace.changed();
}

/** An empty string is a hash too, and the wrong one. */
function checkHash(args: Fields, current: View | undefined): void {
  if (args.hash !== undefined && args.hash !== current?.hash) throw new SlackError('hash_conflict');
}

function viewArgument(args: Fields): Fields {
  if (!isFields(args.view)) {
    throw new SlackError('invalid_arguments', {
      response_metadata: { messages: ['[ERROR] must provide an object [json-pointer:/view]'] },
    });
  }
  return args.view;
}

/** The four methods of the views family, as tables of `args → answer`. */
export const viewMethods = {
  open(workspace: Workspace, args: Fields): Fields {
    const given = viewArgument(args);
    const trigger = workspace.useTrigger(args.trigger_id);
    return { view: openView(workspace, trigger.user, given) };
  },

  push(workspace: Workspace, args: Fields): Fields {
    const given = viewArgument(args);
    const trigger = workspace.useTrigger(args.trigger_id);
    if (trigger.view_id === null) throw new SlackError('not_found');
    return { view: pushView(workspace, trigger.user, given) };
  },

  update(workspace: Workspace, args: Fields): Fields {
    const given = viewArgument(args);
    if (!args.view_id && !args.external_id) {
      throw new SlackError('invalid_arguments', {
        response_metadata: { messages: ['[ERROR] one of view_id and external_id is required'] },
      });
    }
    const { view } = ownerOf(workspace, (other) =>
      args.view_id ? other.id === args.view_id : other.external_id === args.external_id,
    );
    checkHash(args, view);
    return { view: replaceView(workspace, view.id, given, 'views.update') };
  },

  publish(workspace: Workspace, args: Fields): Fields {
    const given = viewArgument(args);
    if (!workspace.manifest.home_tab) throw new SlackError('not_enabled');
    const { id: userId } = workspace.user(stringOf(args.user_id));
    const old = workspace.homes.get(userId);
    checkHash(args, old);
    inspectView(workspace, 'views.publish', given, 'home');
    checkExternalId(workspace, given, old?.id ?? null);
    const id = old?.id ?? workspace.id('V');
    const view = viewFrom(workspace, given, {
      id,
      root_view_id: id,
      previous_view_id: null,
      entered: old?.state.values ?? {},
    });
    workspace.homes.set(userId, view);
    workspace.changed();
    return { view };
  },
};

/** A view of this person, on the stack or their Home. Error: `view_not_found`. */
export function viewFor(workspace: Workspace, userId: string, viewId: unknown): View {
  const all = [...stackOf(workspace, userId), workspace.homes.get(userId)];
  const found = all.find((view) => view?.id === viewId);
  if (!found) throw new SlackError('view_not_found');
  return found;
}

/**
 * Keeps what a person has entered, as their client would until they submit or close.
 * Error: `option_not_found`, a choice that its menu does not offer; then nothing is kept.
 */
export function enterState(view: View, values: unknown): void {
  const merged: StateValues = { ...view.state.values };
  for (const [block_id, actions] of Object.entries(fieldsOf(values))) {
    const entered = { ...merged[block_id] };
    for (const [action_id, entry] of Object.entries(fieldsOf(actions))) {
      const placed = findElement(view.blocks, block_id, action_id);
      const foreign = placed && foreignOption(placed.element, fieldsOf(entry));
      if (foreign) throw new SlackError('option_not_found', { value: foreign.value });
      entered[action_id] = fieldsOf(entry);
    }
    merged[block_id] = entered;
  }
  view.state = { values: completeState(view.blocks, merged) };
}

import { messageFields } from './chat-methods.js';
import { completeState } from './elements.js';
import type { Channel, Fields, Message, StateValues, User, View } from './protocol.js';
import type { Workspace } from './workspace.js';

/** The payloads that Slack delivers, complete, as its reference shows them for an app in one workspace. */
export class Payloads {
  private readonly workspace: Workspace;
  private readonly token: string;
  private readonly responseUrl: (id: string) => string;

  /** `token` is the old verification token; `responseUrl` turns an id into an address the app can reach. */
  constructor(workspace: Workspace, token: string, responseUrl: (id: string) => string) {
    this.workspace = workspace;
    this.token = token;
    this.responseUrl = responseUrl;
  }

  private interaction(type: string, user: User): Fields {
    const { team, app } = this.workspace;
    return {
      type,
      team: { id: team.id, domain: team.domain },
      user: { id: user.id, username: user.name, name: user.name, team_id: team.id },
      api_app_id: app.id,
      token: this.token,
      enterprise: null,
      is_enterprise_install: false,
    };
  }

  private newResponseUrl(user: User, channel: Channel, ts: string | null): string {
    return this.responseUrl(this.workspace.newResponseUrl(user.id, channel.id, ts));
  }

  command(user: User, channel: Channel, command: string, text: string): Fields {
    const { team, app } = this.workspace;
    return {
      token: this.token,
      team_id: team.id,
      team_domain: team.domain,
      channel_id: channel.id,
      channel_name: channel.name,
      user_id: user.id,
      user_name: user.name,
      command,
      text,
      api_app_id: app.id,
      is_enterprise_install: 'false',
      response_url: this.newResponseUrl(user, channel, null),
      trigger_id: this.workspace.newTrigger(user.id, null),
    };
  }

  /** The `message` is left out for an ephemeral one: Slack keeps none to show. */
  messageAction(
    user: User,
    channel: Channel,
    message: Message,
    action: Fields,
    entered: StateValues,
  ): Fields {
    return {
      ...this.interaction('block_actions', user),
      container: {
        type: 'message',
        message_ts: message.ts,
        channel_id: channel.id,
        is_ephemeral: message.ephemeral === true,
        ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}),
      },
      trigger_id: this.workspace.newTrigger(user.id, null),
      channel: { id: channel.id, name: channel.name },
      ...(message.ephemeral ? {} : { message: messageFields(this.workspace, message) }),
      state: { values: completeState(message.blocks ?? [], entered) },
      response_url: this.newResponseUrl(user, channel, message.ts),
      actions: [action],
    };
  }

  viewAction(user: User, view: View, action: Fields): Fields {
    return {
      ...this.interaction('block_actions', user),
      container: { type: 'view', view_id: view.id },
      trigger_id: this.workspace.newTrigger(user.id, view.type === 'modal' ? view.id : null),
      view: structuredClone(view),
      actions: [action],
    };
  }

  viewSubmission(user: User, view: View, channels: readonly { entry: Fields; channel: Channel }[]): Fields {
    return {
      ...this.interaction('view_submission', user),
      trigger_id: this.workspace.newTrigger(user.id, view.id),
      view: structuredClone(view),
      response_urls: channels.map(({ entry, channel }) => ({
        ...entry,
        channel_id: channel.id,
        response_url: this.newResponseUrl(user, channel, null),
      })),
    };
  }

  viewClosed(user: User, view: View, is_cleared: boolean): Fields {
    return { ...this.interaction('view_closed', user), view: structuredClone(view), is_cleared };
  }

  suggestion(
    user: User,
    asked: { action_id: string; block_id: string; value: string },
    where: Fields,
  ): Fields {
    return { ...this.interaction('block_suggestion', user), ...asked, ...where };
  }

  suggestionInView(view: View): Fields {
    return { container: { type: 'view', view_id: view.id }, view: structuredClone(view) };
  }

  suggestionInMessage(channel: Channel, message: Message): Fields {
    return {
      container: {
        type: 'message',
        message_ts: message.ts,
        channel_id: channel.id,
        is_ephemeral: message.ephemeral === true,
      },
      channel: { id: channel.id, name: channel.name },
      ...(message.ephemeral ? {} : { message: messageFields(this.workspace, message) }),
    };
  }

  shortcut(user: User, callback_id: string): Fields {
    return {
      ...this.interaction('shortcut', user),
      action_ts: this.workspace.nextTs(),
      callback_id,
      trigger_id: this.workspace.newTrigger(user.id, null),
    };
  }

  event(event: Fields): Fields {
    const { team, app } = this.workspace;
    return {
      token: this.token,
      team_id: team.id,
      api_app_id: app.id,
      event: { ...event, event_ts: event.event_ts ?? this.workspace.nextTs() },
      type: 'event_callback',
      event_id: this.workspace.id('Ev'),
      event_time: Math.floor(this.workspace.clock() / 1000),
      authorizations: [
        {
          enterprise_id: null,
          team_id: team.id,
          user_id: app.bot_user,
          is_bot: true,
          is_enterprise_install: false,
        },
      ],
      is_ext_shared_channel: false,
      event_context: this.workspace.id('EC'),
    };
  }
}

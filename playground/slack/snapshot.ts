import type { SlashCommand } from './manifest.js';
import type { Message, User, View } from './protocol.js';
import { APP } from './seed.js';
import { stackOf } from './views.js';
import type { Workspace } from './workspace.js';

type SeenUser = Pick<User, 'id' | 'name' | 'real_name' | 'role' | 'color' | 'tz' | 'email' | 'is_bot'>;

/** What one person sees: all that the page needs. */
export interface Snapshot {
  readonly team: { id: string; name: string };
  readonly me: SeenUser;
  readonly users: SeenUser[];
  readonly channels: {
    id: string;
    name: string;
    kind: 'channel' | 'im';
    topic: string;
    unread: number;
    member: boolean;
  }[];
  readonly groups: { id: string; handle: string }[];
  readonly messages: Record<string, Message[]>;
  readonly home: View | null;
  /** Open modals, top last. */
  readonly views: View[];
  readonly last_error: string | null;
  readonly commands: readonly SlashCommand[];
  readonly shortcuts: readonly { callback_id: string; name: string }[];
}

const seen = ({ id, name, real_name, role, color, tz, email, is_bot }: User): SeenUser => ({
  id,
  name,
  real_name,
  role,
  color,
  tz,
  email,
  is_bot,
});

/** The workspace through one person's eyes: only their channels, DMs, ephemeral messages and views. */
export function snapshotFor(workspace: Workspace, userId: string): Snapshot {
  const me = workspace.user(userId);
  workspace.dmOf(userId);
  const channels = [...workspace.channels.values()].filter((channel) => workspace.maySee(userId, channel));
  return {
    team: { id: workspace.team.id, name: workspace.team.name },
    me: seen(me),
    users: [...workspace.users.values()].filter((user) => !user.deleted).map(seen),
    channels: channels.map(({ id, name, kind, topic, members }) => ({
      id,
      name: kind === 'im' ? APP.name : name,
      kind,
      topic,
      unread: workspace.unread(userId, id),
      member: members.includes(userId),
    })),
    groups: [...workspace.groups.values()].map(({ id, handle }) => ({ id, handle })),
    messages: Object.fromEntries(channels.map(({ id }) => [id, workspace.messagesFor(userId, id)])),
    home: workspace.homes.get(userId) ?? null,
    views: stackOf(workspace, userId),
    last_error: workspace.lastErrors.get(userId) ?? null,
    commands: workspace.manifest.commands,
    shortcuts: (workspace.manifest.shortcuts ?? []).map(({ callback_id, name }) => ({ callback_id, name })),
  };
}

import { type Channel, type Fields, SlackError, stringOf, type User, type UserGroup } from './protocol.js';
import type { Workspace } from './workspace.js';

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1_000;

/** One page of a list, with Slack's opaque cursor. Errors: `invalid_cursor`, `invalid_limit`. */
function page<T>(
  all: readonly T[],
  args: Fields,
): { items: T[]; response_metadata: { next_cursor: string } } {
  const limit = args.limit === undefined ? DEFAULT_PAGE : Number(args.limit);
  if (!Number.isInteger(limit) || limit < 0 || limit > LARGEST_PAGE) throw new SlackError('invalid_limit');
  const cursor = stringOf(args.cursor);
  const start = cursor ? Number(/^at:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString())?.[1] ?? -1) : 0;
  if (start < 0 || start > all.length) throw new SlackError('invalid_cursor');
  const end = start + (limit || DEFAULT_PAGE);
  const next_cursor = end < all.length ? Buffer.from(`at:${end}`).toString('base64') : '';
  return { items: all.slice(start, end), response_metadata: { next_cursor } };
}

function userFields(workspace: Workspace, user: User): Fields {
  const email = workspace.manifest.scopes === null || workspace.manifest.scopes.includes('users:read.email');
  const gone = user.deleted ? {} : { tz: user.tz, tz_label: user.tz, tz_offset: 0 };
  return {
    id: user.id,
    team_id: user.is_stranger ? 'T0ELSEWHERE' : workspace.team.id,
    name: user.name,
    deleted: user.deleted,
    color: user.color,
    real_name: user.real_name,
    ...gone,
    profile: {
      real_name: user.real_name,
      display_name: user.real_name,
      real_name_normalized: user.real_name,
      ...(email && user.email ? { email: user.email } : {}),
      team: workspace.team.id,
    },
    is_admin: user.is_admin,
    is_owner: user.is_owner,
    is_primary_owner: user.is_owner,
    is_restricted: user.is_restricted,
    is_ultra_restricted: user.is_ultra_restricted,
    ...(user.is_stranger ? { is_stranger: true } : {}),
    is_bot: user.is_bot,
    is_app_user: false,
    updated: 0,
  };
}

function channelFields(workspace: Workspace, channel: Channel, withCount = false): Fields {
  const im = channel.kind === 'im';
  const other = channel.members.find((member) => member !== workspace.app.bot_user);
  const names = im
    ? { user: other, is_user_deleted: workspace.users.get(other ?? '')?.deleted === true }
    : { name: channel.name, name_normalized: channel.name, topic: { value: channel.topic } };
  return {
    id: channel.id,
    ...names,
    is_channel: !im && !channel.is_private,
    is_group: !im && channel.is_private,
    is_im: im,
    is_mpim: false,
    is_private: channel.is_private,
    is_archived: channel.is_archived,
    is_general: channel.name === 'general',
    is_shared: false,
    is_ext_shared: false,
    is_member: channel.members.includes(workspace.app.bot_user),
    ...(withCount ? { num_members: channel.members.length } : {}),
  };
}

/** A channel as far as the bot may know of it: private ones only from inside. */
function visibleChannel(workspace: Workspace, id: string): Channel {
  const channel = workspace.channels.get(id);
  if (!channel || (channel.is_private && !channel.members.includes(workspace.app.bot_user))) {
    throw new SlackError('channel_not_found');
  }
  return channel;
}

const CHANNEL_TYPES = ['public_channel', 'private_channel', 'mpim', 'im'];

export const conversationMethods = {
  open(workspace: Workspace, args: Fields): Fields {
    const wanted = stringOf(args.users).split(',').filter(Boolean);
    if (args.channel) return { channel: { id: visibleChannel(workspace, stringOf(args.channel)).id } };
    const [userId] = wanted;
    if (!userId) throw new SlackError('users_list_not_supplied');
    if (wanted.length > 1) throw new SlackError('invalid_user_combination');
    const user = workspace.user(userId);
    if (user.deleted) throw new SlackError('user_disabled');
    if (user.is_bot) throw new SlackError('cannot_dm_bot');
    const known = workspace.channels.has(`D${userId.slice(1)}`);
    const dm = workspace.dmOf(userId);
    return {
      no_op: known,
      already_open: known,
      channel:
        args.return_im === true || args.return_im === 'true' ? channelFields(workspace, dm) : { id: dm.id },
    };
  },

  info(workspace: Workspace, args: Fields): Fields {
    const channel = visibleChannel(workspace, stringOf(args.channel));
    return { channel: channelFields(workspace, channel, String(args.include_num_members) === 'true') };
  },

  members(workspace: Workspace, args: Fields): Fields {
    const { items, response_metadata } = page(
      visibleChannel(workspace, stringOf(args.channel)).members,
      args,
    );
    return { members: items, response_metadata };
  },

  list(workspace: Workspace, args: Fields): Fields {
    const types = stringOf(args.types || 'public_channel').split(',');
    if (types.some((type) => !CHANNEL_TYPES.includes(type))) throw new SlackError('invalid_types');
    const kindOf = (c: Channel): string =>
      c.kind === 'im' ? 'im' : c.is_private ? 'private_channel' : 'public_channel';
    const all = [...workspace.channels.values()].filter(
      (channel) =>
        types.includes(kindOf(channel)) &&
        (!channel.is_private || channel.members.includes(workspace.app.bot_user)) &&
        !(channel.is_archived && String(args.exclude_archived) === 'true'),
    );
    const { items, response_metadata } = page(all, args);
    return { channels: items.map((channel) => channelFields(workspace, channel, true)), response_metadata };
  },
};

export const userMethods = {
  info(workspace: Workspace, args: Fields): Fields {
    return { user: userFields(workspace, workspace.user(stringOf(args.user))) };
  },

  list(workspace: Workspace, args: Fields): Fields {
    const { items, response_metadata } = page([...workspace.users.values()], args);
    return { members: items.map((user) => userFields(workspace, user)), cache_ts: 0, response_metadata };
  },

  lookupByEmail(workspace: Workspace, args: Fields): Fields {
    const email = stringOf(args.email).toLowerCase();
    const found = [...workspace.users.values()].find(
      (user) => user.email.toLowerCase() === email && email !== '' && !user.deleted,
    );
    if (!found) throw new SlackError('users_not_found');
    return { user: userFields(workspace, found) };
  },

  /** `label` only when asked for, as Slack does it. */
  profile(workspace: Workspace, args: Fields): Fields {
    const user = workspace.user(stringOf(args.user));
    const label = String(args.include_labels) === 'true' ? { label: 'Manager' } : {};
    const fields = user.manager ? { Xf0MANAGER: { value: user.manager, alt: '', ...label } } : {};
    return { profile: { ...(userFields(workspace, user).profile as Fields), fields } };
  },
};

function groupFields(workspace: Workspace, group: UserGroup, withUsers: boolean): Fields {
  return {
    id: group.id,
    team_id: workspace.team.id,
    is_usergroup: true,
    is_subteam: true,
    name: group.name,
    handle: group.handle,
    description: '',
    is_external: false,
    date_delete: group.deleted ? 1 : 0,
    user_count: group.users.length,
    ...(withUsers ? { users: [...group.users] } : {}),
  };
}

export const groupMethods = {
  list(workspace: Workspace, args: Fields): Fields {
    const disabled = String(args.include_disabled) === 'true';
    const groups = [...workspace.groups.values()].filter((group) => disabled || !group.deleted);
    return {
      usergroups: groups.map((group) => groupFields(workspace, group, String(args.include_users) === 'true')),
    };
  },

  users(workspace: Workspace, args: Fields): Fields {
    const group = workspace.groups.get(stringOf(args.usergroup));
    if (!group || (group.deleted && String(args.include_disabled) !== 'true')) {
      throw new SlackError('no_such_subteam');
    }
    return { users: [...group.users] };
  },
};

import { withIds } from './elements.js';
import { inspectMessage } from './inspection.js';
import { type Channel, type Fields, isFields, type Message, SlackError, stringOf } from './protocol.js';
import type { Workspace } from './workspace.js';

/** chat.update refuses longer text; chat.postMessage cuts at the second number. */
const UPDATE_TEXT = 4_000;
const POST_TEXT = 40_000;
const MARKDOWN_TEXT = 12_000;
const ATTACHMENTS = 100;

interface Content {
  readonly text: string;
  readonly parts: Pick<Message, 'blocks' | 'attachments' | 'metadata'>;
}

function contentOf(workspace: Workspace, method: string, args: Fields): Content {
  const { markdown_text, attachments, blocks, metadata } = args;
  if (markdown_text !== undefined && (args.text !== undefined || blocks !== undefined)) {
    throw new SlackError('markdown_text_conflict');
  }
  const text = stringOf(markdown_text ?? args.text);
  if (markdown_text !== undefined && [...text].length > MARKDOWN_TEXT) throw new SlackError('msg_too_long');
  const hasBlocks = Array.isArray(blocks) && blocks.length > 0;
  if (Array.isArray(attachments) && attachments.length > ATTACHMENTS) {
    throw new SlackError('too_many_attachments');
  }
  if (!text && !hasBlocks && !(Array.isArray(attachments) && attachments.length > 0)) {
    if (blocks !== undefined && !Array.isArray(blocks)) throw new SlackError('invalid_blocks_format');
    throw new SlackError('no_text');
  }
  if (
    metadata !== undefined &&
    !(isFields(metadata) && metadata.event_type && isFields(metadata.event_payload))
  ) {
    throw new SlackError('invalid_metadata_format');
  }
  inspectMessage(workspace, method, { text, blocks });
  return {
    text,
    parts: {
      ...(hasBlocks ? { blocks: withIds(blocks) } : {}),
      ...(Array.isArray(attachments) && attachments.length > 0 ? { attachments } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** The place a message goes to: a channel the bot is in, a DM, or a person (which means the DM with them). */
function destination(workspace: Workspace, id: string): Channel {
  const person = workspace.users.get(id);
  if (person) {
    if (person.deleted || person.is_bot) throw new SlackError('channel_not_found');
    if (!workspace.manifest.messages_tab) throw new SlackError('messages_tab_disabled');
    return workspace.dmOf(id);
  }
  const channel = workspace.channel(id);
  if (channel.is_archived) throw new SlackError('is_archived');
  if (!channel.members.includes(workspace.app.bot_user)) {
    throw new SlackError(channel.is_private ? 'channel_not_found' : 'not_in_channel');
  }
  if (channel.kind === 'im' && !workspace.manifest.messages_tab)
    throw new SlackError('messages_tab_disabled');
  return channel;
}

/** A message as the Web API and the payloads show it. */
export function messageFields(workspace: Workspace, message: Message): Fields {
  const bot = message.user === workspace.app.bot_user;
  return {
    type: 'message',
    user: message.user,
    ts: message.ts,
    text: message.text,
    team: workspace.team.id,
    ...(bot ? { bot_id: workspace.app.bot_id, app_id: workspace.app.id } : {}),
    ...(message.blocks ? { blocks: message.blocks } : {}),
    ...(message.attachments ? { attachments: message.attachments } : {}),
    ...(message.metadata ? { metadata: message.metadata } : {}),
    ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}),
    ...(message.edited ? { edited: { user: message.user, ts: message.ts } } : {}),
  };
}

function ownMessage(workspace: Workspace, args: Fields, refusal: string): Message {
  const channel = workspace.channel(stringOf(args.channel));
  const message = workspace.message(channel.id, stringOf(args.ts));
  if (!message || message.ephemeral) throw new SlackError('message_not_found');
  if (message.user !== workspace.app.bot_user) throw new SlackError(refusal);
  return message;
}

export const chatMethods = {
  postMessage(workspace: Workspace, args: Fields): Fields {
    const channel = destination(workspace, stringOf(args.channel));
    const { text, parts } = contentOf(workspace, 'chat.postMessage', args);
    const thread_ts = stringOf(args.thread_ts);
    if (thread_ts && !workspace.message(channel.id, thread_ts))
      throw new SlackError('cannot_reply_to_message');
    const cut = [...text].length > POST_TEXT;
    const message = workspace.addMessage({
      channel: channel.id,
      user: workspace.app.bot_user,
      text: cut ? [...text].slice(0, POST_TEXT).join('') : text,
      ...parts,
      ...(thread_ts ? { thread_ts } : {}),
    });
    return {
      channel: channel.id,
      ts: message.ts,
      message: messageFields(workspace, message),
      ...(cut ? { warning: 'message_truncated' } : {}),
    };
  },

  /** `text` without `blocks` takes the blocks away; an update by blocks does not show "edited". */
  update(workspace: Workspace, args: Fields): Fields {
    const message = ownMessage(workspace, args, 'cant_update_message');
    if ([...stringOf(args.text)].length > UPDATE_TEXT) throw new SlackError('msg_too_long');
    const { text, parts } = contentOf(workspace, 'chat.update', args);
    const updated: Message = {
      channel: message.channel,
      ts: message.ts,
      user: message.user,
      text: text || message.text,
      ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}),
      ...(message.metadata === undefined ? {} : { metadata: message.metadata }),
      ...parts,
      ...(parts.blocks ? {} : { edited: true as const }),
    };
    workspace.replaceMessage(updated);
    return {
      channel: message.channel,
      ts: message.ts,
      text: updated.text,
      message: messageFields(workspace, updated),
    };
  },

  postEphemeral(workspace: Workspace, args: Fields): Fields {
    const channel = destination(workspace, stringOf(args.channel));
    const user = stringOf(args.user);
    if (!channel.members.includes(user)) throw new SlackError('user_not_in_channel');
    const { text, parts } = contentOf(workspace, 'chat.postEphemeral', args);
    const message = workspace.addMessage({
      channel: channel.id,
      user: workspace.app.bot_user,
      text,
      ...parts,
      ephemeral: true,
      visible_to: user,
    });
    return { message_ts: message.ts };
  },

  delete(workspace: Workspace, args: Fields): Fields {
    const message = ownMessage(workspace, args, 'cant_delete_message');
    workspace.removeMessage(message.channel, message.ts);
    return { channel: message.channel, ts: message.ts };
  },

  getPermalink(workspace: Workspace, args: Fields): Fields {
    const channel = workspace.channel(stringOf(args.channel));
    const message = workspace.message(channel.id, stringOf(args.message_ts));
    if (!message || message.ephemeral) throw new SlackError('message_not_found');
    const permalink = `https://${workspace.team.domain}.slack.com/archives/${channel.id}/p${message.ts.replace('.', '')}`;
    return { channel: channel.id, permalink };
  },
};

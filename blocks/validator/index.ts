/**
 * Block Kit, checked before Slack sees it. Every payload passes here in tests and in the playground's server; in
 * production a violation is logged and the payload is sent all the same.
 *
 * Pure: values parsed from JSON in, a list of refusals out (empty: Slack would take it). Nothing here throws.
 */
import { BLOCK } from './blocks.js';
import { LIMITS, type Surface } from './limits.js';
import { plainText } from './objects.js';
import {
  anything,
  boolean,
  exactlyOne,
  type Fields,
  isObject,
  list,
  matching,
  newRun,
  object,
  oneOf,
  type Run,
  refuse,
  required,
  string,
  type ValidationError,
} from './rules.js';

export { LIMITS, type LimitId, type Surface } from './limits.js';
export type { ValidationError } from './rules.js';

const MESSAGE_BLOCKS = list(BLOCK, 'message.blocks');
const VIEW_BLOCKS = list(BLOCK, 'view.blocks');

/** The blocks of one surface; pointers start at `/blocks`. */
export function validateBlocks(blocks: unknown, surface: Surface): ValidationError[] {
  const run = newRun(surface);
  (surface === 'message' ? MESSAGE_BLOCKS : VIEW_BLOCKS)(blocks, '/blocks', run);
  return run.errors;
}

const VIEW_FIELDS = {
  type: anything,
  blocks: VIEW_BLOCKS,
  private_metadata: string('view.private_metadata'),
  callback_id: string('view.callback_id'),
  external_id: string('view.external_id'),
};

const HOME = object(VIEW_FIELDS);
const MODAL = object({
  ...VIEW_FIELDS,
  title: required(plainText('view.title')),
  submit: plainText('view.submit'),
  close: plainText('view.close'),
  clear_on_close: boolean,
  notify_on_close: boolean,
});

const hasInput = ({ blocks }: Fields): boolean =>
  Array.isArray(blocks) && blocks.some((block) => isObject(block) && block.type === 'input');

const UTF8_BYTES_PER_UNIT = 3;

/** Bytes of JSON in UTF-8; `undefined` for what JSON cannot say (a cycle, a BigInt). */
function jsonBytes(value: unknown): number | undefined {
  try {
    const json = JSON.stringify(value);
    // A UTF-16 unit takes at most three bytes, so a short text need not be encoded to be known as small enough.
    if (json.length * UTF8_BYTES_PER_UNIT <= LIMITS.view.max_bytes) return json.length;
    return new TextEncoder().encode(json).length;
  } catch {
    return undefined;
  }
}

function checkSize(view: Fields, run: Run): void {
  const bytes = jsonBytes(view);
  if (bytes === undefined) refuse(run, '', 'type', 'must be expressible as JSON');
  else if (bytes > LIMITS.view.max_bytes) {
    refuse(run, '', 'view.max_bytes', `must be at most ${LIMITS.view.max_bytes} bytes of JSON`);
  }
}

/** A modal or an App Home view, as `views.open`, `push`, `update` and `publish` take it. */
export function validateView(view: unknown): ValidationError[] {
  const type = isObject(view) ? view.type : undefined;
  const run = newRun(type === 'home' ? 'home' : 'modal');
  if (!isObject(view)) {
    refuse(run, '', 'type', 'must be an object');
    return run.errors;
  }
  if (type !== 'home' && type !== 'modal') {
    refuse(run, '/type', 'view.type', 'must be one of: modal, home');
    return run.errors;
  }
  (type === 'home' ? HOME : MODAL)(view, '', run);
  if (view.blocks === undefined) VIEW_BLOCKS([], '/blocks', run);
  if (type === 'modal' && view.submit === undefined && hasInput(view)) {
    refuse(run, '/submit', 'view.submit.required', 'is required when a block is an input');
  }
  checkSize(view, run);
  return run.errors;
}

const ATTACHMENT = object({
  blocks: MESSAGE_BLOCKS,
  color: matching(/^(good|warning|danger|#?[0-9a-f]{6})$/i, 'good, warning, danger or a colour as #RRGGBB'),
  fallback: string(),
  pretext: string(),
  author_name: string(),
  author_link: string(),
  author_icon: string(),
  author_subname: string(),
  title: string(),
  title_link: string(),
  text: string(),
  fields: list(object({ title: required(string()), value: required(string()), short: boolean })),
  image_url: string(),
  thumb_url: string(),
  footer: string(),
  footer_icon: string(),
  ts: anything,
  actions: list(anything),
  callback_id: string(),
  mrkdwn_in: list(oneOf('pretext', 'text', 'fields')),
});

const ATTACHMENTS = list(ATTACHMENT, 'message.attachments');
const MARKDOWN_OR_REST = exactlyOne('message.markdown_text', 'markdown_text', 'blocks', 'text');

/**
 * The part of a message that people see: `{text?, blocks?, attachments?}`, or `markdown_text` instead of the first
 * two. Other properties are arguments of the method (`channel`, `thread_ts`) and not looked at.
 */
export function validateMessage(message: unknown): ValidationError[] {
  const run = newRun('message');
  if (!isObject(message)) {
    refuse(run, '', 'type', 'must be an object');
    return run.errors;
  }
  const { text, blocks, attachments, markdown_text: markdown } = message;
  if (text !== undefined) string('message.text')(text, '/text', run);
  if (blocks !== undefined) MESSAGE_BLOCKS(blocks, '/blocks', run);
  if (attachments !== undefined) ATTACHMENTS(attachments, '/attachments', run);
  if (markdown !== undefined) {
    string('message.markdown_text')(markdown, '/markdown_text', run);
    MARKDOWN_OR_REST(message, '', run);
  }
  const says = [text, markdown].some((value) => value !== undefined && value !== '');
  const shows = [blocks, attachments].some((value) => Array.isArray(value) && value.length > 0);
  if (!says && !shows) refuse(run, '', 'message.content', 'must have text, blocks or attachments');
  return run.errors;
}

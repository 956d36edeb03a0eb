/**
 * Hostile arguments through the layouts of the connectors: whatever a caller sends, the card and its Details are inert,
 * and what the card does not show it announces and Details open (shared/RELIABILITY.md 2.5, abuse cases 23–32).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ApprovalCard,
  approvalDetails,
  approvalMessage,
  type ShownField,
} from '../../blocks/approval-card.js';
import { batchModal } from '../../blocks/batch.js';
import { validateMessage, validateView } from '../../blocks/validator/index.js';
import { loadConnector } from '../../src/connectors/catalogue.js';
import type { Arguments, ConnectorDefinition, JsonValue } from '../../src/connectors/framework.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { ACTIONS } from '../../src/slack/ids.js';
import { notInert, objectsIn, readTexts } from './what-slack-reads.js';

/** Around every value of a caller's, so that it is found again wherever it went. */
const THEIRS = /zq\d+[ab]/;
let marked = 0;
const mark = (text: string): { readonly text: string; readonly ends: readonly [string, string] } => {
  marked += 1;
  const ends = [`zq${marked}a`, `zq${marked}b`] as const;
  return { text: `${ends[0]}${text}${ends[1]}`, ends };
};

const NASTY = [
  ...['<!channel>', '<!here>', '<!subteam^S0FINANCE>', '<@U0BEN>', '<#C0APPROVALS>', '<!date^1^{date}|now>'],
  ...['<https://evil.example|https://bank.example>', '![x](https://evil.example/a.png)', '```', '*bold*'],
  ...[':white_check_mark: *Approved* by CFO', '\n*Risk*\nRead', '↳ new here', '⟦all shown⟧', '&lt;!here&gt;'],
  ...['\u202e', '\u200b', '\u2028', '\u0000', '\u001b[2J', '\u{e0041}', '\ud800', '\udc00', '\u00a0', '🎉'],
  ...['\n'.repeat(80), ' '.repeat(200), 'x'.repeat(300), 'ž'.repeat(1_000)],
  ...['line\n'.repeat(60), ', ', '": "'],
  Array.from({ length: 90 }, (_, at) => `http://a@b${at}.co`).join(' '),
  ...['https://b\u0430nk.example/', '\r\n', '\t', 'a', '5', 'null', '{}', '>quote', '_i_', '~s~'],
];
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...NASTY), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
    .map((units) => String.fromCharCode(...units)),
);
/** For arguments that have to be one line without control characters. */
const hostileLine = hostile.map((text) => [...text.replaceAll(/\p{Cc}/gu, ' ')].slice(0, 400).join(''));

/** `HOSTILE_RUNS` of each property; as many as tell in a moment unless it is set. */
const RUNS = Number(process.env.HOSTILE_RUNS ?? 40);

const BASE: ApprovalCard = {
  executionId: 'ex_4kq7w2m9x1c8v3b6n5z2',
  hash: '9f3a1c70',
  functionTitle: 'Do it',
  connectionName: 'Connection',
  connectionKey: 'connection',
  actingAs: 'bot@corp.example · shared',
  callerName: 'Agent',
  callerKind: 'agent',
  callerStage: 'test',
  requesterId: 'U0ADA',
  onBehalfOf: null,
  risk: 'write',
  fields: [],
  reason: null,
  deciders: { users: ['U0BEN'], groups: [] },
  quorum: 1,
  decisions: [],
  status: 'pending_approval',
  expiresAt: new Date('2026-03-12T15:20:00Z'),
  note: null,
};

const offersApprove = (payload: unknown): boolean =>
  [...objectsIn(payload)].some(({ action_id: id }) => id === ACTIONS.approve);

/** Every page of Details, as she turns them. */
function detailPages(card: ApprovalCard) {
  const pages = [approvalDetails(card, { page: 0, mayDecide: true, notice: null })];
  for (let page = 1; !offersApprove(pages.at(-1)) && page < 200; page += 1) {
    pages.push(approvalDetails(card, { page, mayDecide: true, notice: null }));
  }
  return pages;
}

/** Below all that is read, in one piece what may go on in another box. */
const together = (payloads: readonly unknown[]): string => {
  const boxes = [...objectsIn(payloads)].filter(({ type }) => type === 'rich_text_preformatted');
  return [...readTexts(payloads), readTexts(boxes.map(({ elements }) => elements)).join('')].join('\n');
};

/** Draws it everywhere, and holds each drawing to what must be true of all. */
function hold(card: ApprovalCard, ends: readonly (readonly [string, string])[], theirs: RegExp = THEIRS) {
  const message = approvalMessage(card);
  const pages = detailPages(card);
  const request = { executionId: card.executionId, hash: card.hash };
  const batch = batchModal(
    [{ requests: [request], card, reasons: card.reason ? [card.reason] : [], alone: null }],
    0,
  );
  const ended = approvalMessage({ ...card, status: 'failed', note: card.reason });
  expect([message, ended].flatMap((each) => [...validateMessage(each)])).toEqual([]);
  expect([...pages, batch].flatMap((each) => [...validateView(each)])).toEqual([]);
  const largest = Math.max(...[...pages, batch].map((each) => Buffer.byteLength(JSON.stringify(each))));
  expect(largest).toBeLessThanOrEqual(250_000);
  expect([message, ended, batch, ...pages].flatMap((each) => notInert({ ...each }, theirs))).toEqual([]);

  const missing = (text: string): string[] => ends.flat().filter((end) => !text.includes(end));
  expect(missing(together(pages)), 'not in Details').toEqual([]);
  const onCard = together([message]);
  if (offersApprove(message)) {
    expect(missing(onCard), 'not on a card that can be approved').toEqual([]);
    // What the caller says is no part of what runs.
    if (card.reason === null) expect(onCard).not.toMatch(/characters not shown⟧/);
  } else
    expect(onCard).toMatch(
      /(?:characters not shown⟧|more remarks)[\s\S]*Approve is there|more arguments.*Approve is there/,
    );
  // Nobody can tick what the list does not show.
  const tickable = [...objectsIn(batch)].some(({ type }) => type === 'checkboxes');
  if (tickable) expect(missing(together([batch])), 'not in the batch').toEqual([]);
  else expect(together([batch])).toContain('Too long to be shown in full here');
  return { message, pages };
}

const REST = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Anything', version: '1' },
  servers: [{ url: 'https://api.example.com' }],
  paths: {
    '/things/{id}': {
      post: {
        operationId: 'change_thing',
        summary: 'Change a thing',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'q', in: 'query', schema: { type: 'string' } },
        ],
        requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
        responses: { 200: { description: 'done' } },
      },
    },
  },
});
const { operations } = await importOpenApi(REST);
const REST_CONFIG = {
  base_url: 'https://api.example.com',
  operations: operations.map((each) => ({ ...each })),
} as unknown as Record<string, JsonValue>;
const MCP_CONFIG: Record<string, JsonValue> = {
  url: 'https://mcp.example.com/mcp',
  trusted: 'no',
  tools: [
    {
      name: 'do_it',
      title: 'Do it',
      description: 'Does it.',
      input_schema: { type: 'object' },
      annotations: {},
      hash: '0'.repeat(64),
    },
  ],
  resources: false,
  prompts: false,
};

interface Case {
  readonly connector: string;
  readonly config?: Record<string, JsonValue>;
  readonly fn: string;
  /** How many texts and lines it takes; the rest of the arguments is what the schema insists on. */
  readonly texts: number;
  readonly lines: number;
  readonly args: (texts: readonly string[], lines: readonly string[]) => Arguments;
}

const at = (values: readonly string[], index: number): string => values[index] ?? '';

const CASES: readonly Case[] = [
  {
    connector: 'gmail',
    fn: 'send_message',
    texts: 2,
    lines: 1,
    args: (texts, lines) => ({
      to: ['cleo@corp.example'],
      subject: at(lines, 0),
      body_text: at(texts, 0),
      body_html: at(texts, 1),
    }),
  },
  {
    connector: 'google_calendar',
    fn: 'create_event',
    texts: 1,
    lines: 2,
    args: (texts, lines) => ({
      calendar_id: 'planning@corp.example',
      summary: at(lines, 0),
      location: at(lines, 1),
      start: '2026-03-19T09:00:00+01:00',
      end: '2026-03-19T09:45:00+01:00',
      description: at(texts, 0),
    }),
  },
  {
    connector: 'jira',
    fn: 'create_issue',
    texts: 3,
    lines: 1,
    args: (texts, lines) => ({
      project: 'OPS',
      issue_type: 'Task',
      summary: at(lines, 0).slice(0, 200),
      description: at(texts, 0),
      fields: { labels: [at(texts, 1)], priority: { name: at(texts, 2) } },
    }),
  },
  {
    connector: 'google_drive',
    fn: 'share_file',
    texts: 1,
    lines: 0,
    args: (texts) => ({
      id: '1AbCdEfGhIjKlMnOp',
      type: 'user',
      role: 'reader',
      email: 'x@other.example',
      message: at(texts, 0).slice(0, 2_000),
    }),
  },
  {
    connector: 'slack',
    fn: 'send_message',
    texts: 2,
    lines: 0,
    args: (texts) => ({
      channel: 'C0GENERAL',
      text: at(texts, 0),
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text: at(texts, 1) } }],
    }),
  },
  {
    connector: 'rest',
    config: REST_CONFIG,
    fn: 'change_thing',
    texts: 4,
    lines: 1,
    args: (texts, lines) => ({
      id: encodeURIComponent(at(lines, 0).replaceAll(/[^a-z0-9]/g, '')),
      q: at(texts, 0).replaceAll(/\p{C}/gu, ''),
      body: { [at(texts, 1)]: at(texts, 2), deep: [{ er: at(texts, 3) }] },
    }),
  },
  {
    connector: 'mcp',
    config: MCP_CONFIG,
    fn: 'do_it',
    texts: 3,
    lines: 0,
    args: (texts) => ({ [at(texts, 0)]: at(texts, 1), list: [at(texts, 2), 5, null] }),
  },
];

function drawn(
  connector: ConnectorDefinition,
  { config = {}, fn: name }: Case,
  given: Arguments,
): ShownField[] {
  const fn = connector.functions(config).find((each) => each.name === name);
  if (!fn) throw new Error(`${connector.id} has no ${name}`);
  const parsed = fn.input.parse(given);
  if (!parsed.ok) throw new Error(`${name} does not take ${JSON.stringify(parsed.issues)}`);
  return fn.card(parsed.value).map((field) => ({ ...field }));
}

describe('the card of', () => {
  it.each(CASES)('$connector $fn is inert, and shows or announces every argument', async (each) => {
    const connector = await loadConnector(each.connector);
    fc.assert(
      fc.property(
        fc.array(hostile, { minLength: each.texts, maxLength: each.texts }),
        fc.array(hostileLine, { minLength: each.lines, maxLength: each.lines }),
        (texts, lines) => {
          const [long, short] = [texts.map(mark), lines.map(mark)];
          const args = each.args(
            long.map(({ text }) => text),
            short.map(({ text }) => text),
          );
          const kept = JSON.stringify(args);
          const ends = [...long, ...short]
            .map((one) => one.ends)
            .filter((both) => both.every((end) => kept.includes(end)));
          hold({ ...BASE, fields: drawn(connector, each, args) }, ends);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('any fields at all', () => {
  const kinds = fc.constantFrom('short', 'long', 'link', 'time' as const);

  it('are shown on the card, or announced there and shown in Details', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: kinds, value: hostile, label: hostileLine }), { maxLength: 30 }),
        (given) => {
          const values = given.map(({ value }) => mark(value));
          const fields = given.map(({ kind, label }, index) => ({
            kind,
            label,
            value: values[index]?.text ?? '',
          }));
          hold(
            { ...BASE, fields },
            values.map(({ ends }) => ends),
          );
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('two hundred are counted on the card, and none is missing in Details', () => {
    const values = Array.from({ length: 200 }, (_, index) => mark(`value ${index}`));
    const fields = values.map(({ text }, index) => ({
      label: `Field ${index}`,
      value: text,
      kind: 'short' as const,
    }));
    const { message, pages } = hold(
      { ...BASE, fields },
      values.map(({ ends }) => ends),
    );
    expect(offersApprove(message)).toBe(false);
    expect(readTexts(message).join('\n')).toContain('186 more arguments');
    expect(pages.length).toBeGreaterThan(1);
  });
});

describe('what the caller says and is called', () => {
  it('is inert, and what it says is whole in Details', () => {
    fc.assert(
      fc.property(hostile, hostileLine, hostileLine, (said, title, name) => {
        const reason = mark([...said].slice(0, 1_900).join(''));
        hold(
          { ...BASE, reason: reason.text, functionTitle: title, callerName: name, connectionName: name },
          [],
          THEIRS,
        );
        const last = detailPages({ ...BASE, reason: reason.text }).at(-1);
        for (const end of reason.ends) expect(readTexts(last).join('\n')).toContain(end);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('what it would change', () => {
  it('is inert, and shown or announced as the arguments are', () => {
    const field = fc.record({
      label: hostileLine,
      value: hostile,
      after: fc.option(hostile, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(field, { maxLength: 14 }), hostile, (given, note) => {
        const marks = given.map(({ value, after }) => ({
          value: mark(value),
          after: after === undefined ? undefined : mark(after),
        }));
        const fields = given.map(({ label }, index) => ({
          label,
          value: marks[index]?.value.text ?? '',
          ...(marks[index]?.after ? { after: marks[index]?.after?.text ?? '' } : {}),
        }));
        const target = { fields, note, blocked: false, moved: [], again: null, held: null };
        const card = { ...BASE, target };
        const message = approvalMessage(card);
        const pages = detailPages(card);
        expect(validateMessage(message)).toEqual([]);
        expect([message, ...pages].flatMap((each) => notInert({ ...each }))).toEqual([]);
        const details = together(pages);
        const all = marks.flatMap(({ value, after }) => [value, ...(after ? [after] : [])]);
        expect(all.flatMap(({ ends }) => ends).filter((end) => !details.includes(end))).toEqual([]);
        const shown = together([message]);
        const missing = all.flatMap(({ ends }) => ends).filter((end) => !shown.includes(end));
        if (missing.length > 0) expect(shown).toMatch(/not shown⟧|more of it in \*Details\*/);
      }),
      { numRuns: RUNS },
    );
  });
});

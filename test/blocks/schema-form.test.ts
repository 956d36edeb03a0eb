/** Forms made from schemas: what they ask, that they are valid, and that nothing changes which nobody touched. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { editForm } from '../../blocks/edit-form.js';
import { type SchemaForm, schemaForm } from '../../blocks/parts/schema-fields.js';
import { schemaFormBlocks } from '../../blocks/parts/schema-form.js';
import { validateView } from '../../blocks/validator/index.js';
import { completeState, elementsOf, labelOf, withIds } from '../../playground/slack/elements.js';
import { entryFor, type Given } from '../../playground/slack/entry.js';
import type { StateValues } from '../../playground/slack/protocol.js';
import { catalogue, loadConnector } from '../../src/connectors/catalogue.js';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { zodInput } from '../../src/connectors/framework.js';
import { fieldProblems, readSchemaForm } from '../../src/slack/schema-form.js';
import { SAMPLE_CONFIGS } from '../fixtures/connectors/configs.js';

type Schema = Readonly<Record<string, unknown>>;

function viewOf(form: SchemaForm) {
  return editForm({
    executionId: 'ex_4kq7w2m9x1c8v3b6n5z0',
    hash: '9f3a1c70',
    functionTitle: 'Create a ticket',
    callerName: 'Support agent',
    form,
    approvals: 0,
    quorum: 1,
    stepUp: 'totp',
  });
}

/** What comes back after a person has entered these values, by label, and left everything else alone. */
async function entered(schema: Schema, args: Arguments, typed: Readonly<Record<string, Given>> = {}) {
  const form = schemaForm(schema, args, 'test');
  expect(validateView(viewOf(form))).toEqual([]);
  const blocks = withIds(schemaFormBlocks(form));
  const given: StateValues = {};
  for (const [label, wanted] of Object.entries(typed)) {
    const placed = elementsOf(blocks).find((each) => labelOf(each) === label);
    if (!placed) throw new Error(`no input “${label}”`);
    const { block, element } = placed;
    const unused = () => {
      throw new Error('no look-ups here');
    };
    const entry = await entryFor(element, wanted, { options: unused, user: unused, channel: unused });
    given[block.block_id] = { [String(element.action_id)]: entry };
  }
  const values = completeState(blocks, given);
  const view: unknown = { state: { values } };
  return readSchemaForm(form, args, view as Parameters<typeof readSchemaForm>[2]);
}

const mail = zodInput(
  z.strictObject({
    to: z.array(z.email()).min(1).describe('Who gets it'),
    subject: z.string().max(200),
    body: z.string(),
    priority: z.enum(['low', 'normal', 'high']).exactOptional(),
    confidential: z.boolean().exactOptional(),
    copies: z.int().min(0).max(9).default(0),
    due: z.iso.date().exactOptional(),
    send_at: z.iso.datetime({ offset: true }).exactOptional(),
    reply: z.strictObject({ thread: z.string(), quote: z.boolean().exactOptional() }).exactOptional(),
    headers: z.record(z.string(), z.string()).exactOptional(),
  }),
);
const full = {
  to: ['sam@corp.example', 'kim@corp.example'],
  subject: 'Toner',
  body: 'Hello,\n\nthe printer is empty.  ',
  priority: 'high',
  confidential: false,
  copies: 2,
  due: '2026-05-04',
  send_at: '2026-05-04T09:30:15.250+02:00',
  reply: { thread: 't-17', quote: true },
  headers: { 'x-team': 'support' },
} satisfies Arguments;

describe('the fields of a form', () => {
  const form = schemaForm(mail.jsonSchema, {}, 'test');
  const kinds = Object.fromEntries(form.fields.map(({ label, kind }) => [label, kind]));

  it('have the input that fits, one level deep', () => {
    expect(kinds).toEqual({
      To: 'lines',
      Subject: 'text',
      Body: 'text',
      Priority: 'choice',
      Confidential: 'choice',
      Copies: 'number',
      Due: 'date',
      'Send at': 'moment',
      'Reply · Thread': 'text',
      'Reply · Quote': 'choice',
      Headers: 'json',
    });
  });

  it('insist on what the function needs, and on nothing inside of what may be left out', () => {
    expect(form.fields.filter(({ required }) => required).map(({ label }) => label)).toEqual([
      'To',
      'Subject',
      'Body',
    ]);
  });

  it('say what the schema says', () => {
    const hints = Object.fromEntries(form.fields.map(({ label, hint }) => [label, hint]));
    expect(hints.To).toBe('Who gets it One per line.');
    expect(hints.Copies).toBe('If empty: 0.');
  });

  it('come from references, unions with null and lists of types alike', () => {
    const imported: Schema = {
      type: 'object',
      required: ['status', 'note', 'kind'],
      properties: {
        status: { $ref: '#/$defs/Status' },
        note: { type: ['string', 'null'], title: 'Remark' },
        kind: { anyOf: [{ const: 'a' }, { const: 'b' }] },
        size: { oneOf: [{ type: 'integer' }, { type: 'null' }] },
        either: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
      },
      $defs: { Status: { type: 'string', enum: ['open', 'closed'] } },
    };
    const { fields } = schemaForm(imported, {}, 'test');
    expect(fields.map(({ label, kind, required }) => [label, kind, required])).toEqual([
      ['Status', 'choice', true],
      ['Remark', 'text', false],
      ['Kind', 'choice', true],
      ['Size', 'number', false],
      ['Either', 'json', false],
    ]);
  });

  it('do not loop on a schema that contains itself', () => {
    const loop: Schema = { $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/A' } } };
    expect(schemaForm(loop, { a: 1 }, 'test').fields).toHaveLength(1);
  });
});

describe('what nobody touches', () => {
  it('stays exactly as it was', async () => {
    const { args, problems } = await entered(mail.jsonSchema, full);
    expect(problems).toEqual({});
    expect(args).toEqual(full);
    expect((await entered(mail.jsonSchema, {})).args).toEqual({});
  });

  it('stays whatever it is', async () => {
    const value = fc.jsonValue().filter((each) => each !== undefined) as fc.Arbitrary<JsonValue>;
    const args = fc.dictionary(
      fc.constantFrom('to', 'subject', 'body', 'priority', 'copies', 'due', 'send_at', 'reply', 'more'),
      value,
    );
    await fc.assert(
      fc.asyncProperty(args, async (given) => {
        const plain = { ...given };
        expect((await entered(mail.jsonSchema, plain)).args).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });

  it('can be opened although the function would not take it', async () => {
    expect((await entered(mail.jsonSchema, { copies: 2.5 })).args).toEqual({ copies: 2.5 });
  });

  it('stays beside what is changed', async () => {
    const odd = { ...full, to: ['  sam@corp.example'], send_at: '2026-05-04T09:30:00' };
    const { args } = await entered(mail.jsonSchema, odd, { Subject: 'Ink' });
    expect(args).toEqual({ ...odd, subject: 'Ink' });
  });
});

describe('what is entered', () => {
  it('becomes the value of its type', async () => {
    const { args } = await entered(mail.jsonSchema, full, {
      To: 'lee@corp.example\n\n kim@corp.example ',
      Priority: 'low',
      Confidential: 'Yes',
      Copies: '5',
      Due: '2026-06-01',
      'Send at': '1780000000',
      'Reply · Quote': 'Not set',
      Headers: '{"x-team":"ops"}',
    });
    expect(args).toEqual({
      ...full,
      to: ['lee@corp.example', 'kim@corp.example'],
      priority: 'low',
      confidential: true,
      copies: 5,
      due: '2026-06-01',
      send_at: new Date(1_780_000_000_000).toISOString().replace('.000', ''),
      reply: { thread: 't-17' },
      headers: { 'x-team': 'ops' },
    });
    expect(mail.parse(args).ok).toBe(true);
  });

  it('takes an argument away where it is emptied, and an object with its last', async () => {
    const { args } = await entered(mail.jsonSchema, full, {
      Priority: 'Not set',
      Due: null,
      'Reply · Thread': null,
      'Reply · Quote': 'Not set',
    });
    const { priority: _, due: __, reply: ___, ...rest } = full;
    expect(args).toEqual(rest);
  });

  it('fills an empty form', async () => {
    const { args } = await entered(
      mail.jsonSchema,
      {},
      { To: 'sam@corp.example', Subject: 'Toner', Body: 'Empty', 'Reply · Thread': 't-1' },
    );
    expect(args).toEqual({
      to: ['sam@corp.example'],
      subject: 'Toner',
      body: 'Empty',
      reply: { thread: 't-1' },
    });
  });

  it('is refused where it is no value at all, at its input', async () => {
    const { problems } = await entered(mail.jsonSchema, full, { Headers: '{oops', Copies: '2.5' });
    expect(Object.values(problems)).toEqual(['This has to be a whole number.', 'This is not valid JSON.']);
  });

  it('is refused by the function at the input that it is about', async () => {
    const form = schemaForm(mail.jsonSchema, full, 'test');
    const verdict = mail.parse({ ...full, to: ['nobody'], reply: { thread: 5 } });
    if (verdict.ok) throw new Error('taken');
    const problems = fieldProblems(form, verdict.issues);
    const label = (block: string) => form.fields.find((field) => field.block === block)?.label;
    expect(Object.keys(problems).map(label)).toEqual(['To', 'Reply · Thread']);
    expect(Object.values(problems)[0]).toMatch(/^To, entry 1: /);
    expect(Object.values(problems)[1]).toMatch(/^Invalid input: /);
  });

  it('is refused in words: as a whole without a prefix, elsewhere by the names that the form has', () => {
    const schema = {
      type: 'object',
      properties: {
        title: { type: 'string' },
        long: { type: 'string', title: 'Long text' },
        rows: { type: 'array', items: { type: 'object' } },
      },
    };
    const form = schemaForm(schema, { title: 'x', long: 'é'.repeat(3_001), rows: [{ due_date: 1 }] }, 'test');
    const said = (path: string) => Object.values(fieldProblems(form, [{ path, message: 'Wrong.' }]));
    expect(said('')).toEqual(['Wrong.']);
    expect(said('/title')).toEqual(['Wrong.']);
    expect(said('/long')).toEqual(['Long text: Wrong.']);
    expect(said('/rows/2/due_date')).toEqual(['Rows, entry 3, Due date: Wrong.']);
    expect(said('/not_there')).toEqual(['Not there: Wrong.']);
  });
});

describe('what does not fit', () => {
  it('is not editable and says so: longer than an input', async () => {
    const long = { ...full, body: 'é'.repeat(3_001) };
    const { args } = await entered(mail.jsonSchema, long, { Subject: 'Ink' });
    expect(args).toEqual({ ...long, subject: 'Ink' });
    const text = JSON.stringify(schemaFormBlocks(schemaForm(mail.jsonSchema, long, 'test')));
    expect(text).toContain(
      '*Body* cannot be edited here: 3,001 characters, more than an input holds (3,000)',
    );
  });

  it('is named: more arguments than a view has room for, those that are needed first', async () => {
    const names = Array.from({ length: 120 }, (_, n) => `field_${n}`);
    const schema: Schema = {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
      required: ['field_119'],
    };
    const given = { field_119: 'needed', field_100: 'given' };
    const form = schemaForm(schema, given, 'test');
    expect(form.fields.slice(0, 2).map(({ label }) => label)).toEqual(['Field 100', 'Field 119']);
    expect(form.fields.length + form.left.length).toBe(120);
    expect(JSON.stringify(schemaFormBlocks(form))).toContain('and 20 more');
    expect((await entered(schema, given, { 'Field 119': 'x' })).args).toEqual({ ...given, field_119: 'x' });
  });

  it('never makes a view that is too large', () => {
    const schema: Schema = { type: 'object' };
    const args = Object.fromEntries(Array.from({ length: 79 }, (_, n) => [`a${n}`, '😀'.repeat(2_999)]));
    const form = schemaForm(schema, args, 'test');
    expect(validateView(viewOf(form))).toEqual([]);
    expect(JSON.stringify(schemaFormBlocks(form))).toContain('this form has no more room');
  });

  it('says that a value holds what cannot be seen', () => {
    const { fields } = schemaForm(mail.jsonSchema, { subject: 'invoice\u202Efdp.exe' }, 'test');
    expect(fields.find(({ label }) => label === 'Subject')?.hint).toContain('cannot be seen');
  });
});

describe.each(catalogue.map(({ id }) => id))('every function of %s', (id) => {
  it('has a form that Slack takes, and that gives back nothing when nothing is entered', async () => {
    const connector = await loadConnector(id);
    for (const fn of connector.functions(SAMPLE_CONFIGS[id] ?? {})) {
      expect((await entered(fn.input.jsonSchema, {})).args, fn.name).toEqual({});
    }
  });
});

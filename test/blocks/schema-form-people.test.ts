/** People in forms made from schemas: members of the workspace are chosen from a menu, addresses are typed. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runFormModal } from '../../blocks/run.js';
import { validateView } from '../../blocks/validator/index.js';
import { completeState, elementsOf, labelOf, withIds } from '../../playground/slack/elements.js';
import { entryFor, type Given } from '../../playground/slack/entry.js';
import type { StateValues } from '../../playground/slack/protocol.js';
import { loadConnector } from '../../src/connectors/catalogue.js';
import type { Arguments } from '../../src/connectors/framework.js';
import { zodInput } from '../../src/connectors/framework.js';
import { userId } from '../../src/connectors/slack/fields.js';
import { formFor, readSchemaForm } from '../../src/slack/schema-form.js';

const schema = zodInput(
  z.strictObject({
    owner: userId,
    reviewer: z.exactOptional(userId),
    watchers: z.exactOptional(z.array(userId).max(40)),
    contact: z.exactOptional(z.email()),
    guests: z.exactOptional(z.array(z.email())),
  }),
).jsonSchema;
const MEMBERS = ['U0ADA', 'U0BEN', 'U0CLEO'];
const isMember = async (id: string): Promise<boolean> => MEMBERS.includes(id);

async function blocksOf(args: Arguments) {
  const form = await formFor(schema, args, 'test', isMember);
  const view = runFormModal({
    connection: { id: 'co_1', name: 'Desk' },
    fn: { name: 'assign', title: 'Assign', description: 'Names people.' },
    policy: 'Write',
    form,
  });
  expect(validateView(view)).toEqual([]);
  return { form, placed: elementsOf(withIds(view.blocks)) };
}

async function elementTypes(args: Arguments): Promise<Record<string, unknown>> {
  const { placed } = await blocksOf(args);
  return Object.fromEntries(placed.map((each) => [labelOf(each), each.element.type]));
}

async function entered(args: Arguments, typed: Readonly<Record<string, Given>>) {
  const { form, placed } = await blocksOf(args);
  const given: StateValues = {};
  for (const [label, wanted] of Object.entries(typed)) {
    const found = placed.find((each) => labelOf(each) === label);
    if (!found) throw new Error(`no input “${label}”`);
    const none = () => {
      throw new Error('no look-ups here');
    };
    const lookup = { options: none, user: (id: string) => id, channel: none };
    const entry = await entryFor(found.element, wanted, lookup);
    given[found.block.block_id] = { [String(found.element.action_id)]: entry };
  }
  const blocks = placed.map(({ block }) => block);
  const view: unknown = { state: { values: completeState(blocks, given) } };
  return readSchemaForm(form, args, view as Parameters<typeof readSchemaForm>[2]);
}

describe('a member of the workspace', () => {
  it('is chosen from a menu, and one who may be left out can be taken out again', async () => {
    expect(await elementTypes({})).toEqual({
      Owner: 'users_select',
      Reviewer: 'multi_users_select',
      Watchers: 'multi_users_select',
      Contact: 'email_text_input',
      Guests: 'plain_text_input',
    });
  });

  it('becomes the argument', async () => {
    const args = { owner: 'U0ADA', reviewer: 'U0BEN', watchers: ['U0CLEO'] };
    const change = { Owner: 'U0CLEO', Reviewer: ['U0ADA'], Watchers: ['U0ADA', 'U0BEN'] };
    expect((await entered(args, change)).args).toEqual({
      owner: 'U0CLEO',
      reviewer: 'U0ADA',
      watchers: ['U0ADA', 'U0BEN'],
    });
    expect((await entered(args, { Reviewer: null, Watchers: null })).args).toEqual({ owner: 'U0ADA' });
    expect((await entered({}, { Owner: 'U0BEN', Contact: 'kim@corp.example' })).args).toEqual({
      owner: 'U0BEN',
      contact: 'kim@corp.example',
    });
  });

  it('stays as she was where nobody touched her, also next to others in another order', async () => {
    const args = { owner: 'U0ADA', reviewer: 'U0BEN', watchers: ['U0CLEO', 'U0ADA'] };
    expect((await entered(args, {})).args).toEqual(args);
    // Slack need not keep the order in which they were chosen.
    expect((await entered(args, { Watchers: ['U0ADA', 'U0CLEO'] })).args).toEqual(args);
  });
});

describe('what is no member of the workspace', () => {
  it('is typed: Slack opens no form with somebody whom it does not know', async () => {
    const args = { owner: 'U0STRANGER', reviewer: 'U0BEN', watchers: ['U0ADA', 'U0STRANGER'] };
    expect(await elementTypes(args)).toMatchObject({
      Owner: 'plain_text_input',
      Reviewer: 'multi_users_select',
      Watchers: 'plain_text_input',
    });
    expect((await entered(args, {})).args).toEqual(args);
    expect((await entered(args, { Owner: 'U0ADA', Watchers: 'U0ADA' })).args).toEqual({
      owner: 'U0ADA',
      reviewer: 'U0BEN',
      watchers: ['U0ADA'],
    });
  });

  it('is an address: it stays text, and one that is none is left as it is', async () => {
    expect(await elementTypes({ owner: 'U0ADA', contact: 'not an address' })).toMatchObject({
      Contact: 'plain_text_input',
    });
    const args = { owner: 'U0ADA', contact: 'not an address', guests: ['kim@corp.example'] };
    expect((await entered(args, {})).args).toEqual(args);
  });
});

it('the functions of Slack that name members have menus for them', async () => {
  const connector = await loadConnector('slack');
  const named: string[] = [];
  for (const fn of connector.functions({})) {
    const form = await formFor(fn.input.jsonSchema, {}, 'test', isMember);
    named.push(
      ...form.fields.filter(({ kind }) => kind.startsWith('member')).map(({ path }) => `${fn.name}.${path}`),
    );
  }
  expect(named).toEqual(expect.arrayContaining(['invite_to_channel.users', 'get_user.user']));
});

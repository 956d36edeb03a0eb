/** Gmail functions that sort mails. */
import { z } from 'zod';
import { hasControls, input, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { mapTen, objectsIn, textOf } from '../json.js';
import { callGmail, SCOPES } from './api.js';
import { id } from './fields.js';
import { fetchSummary, mailField } from './summary.js';

/** One request changes at most 1,000 mails, with at most 100 labels each way (batchModify). */
const modify = input(
  z
    .strictObject({
      ids: z.array(id).min(1).max(1_000),
      add: z.array(id).max(100).default([]).describe('Ids of labels to put on the mails.'),
      remove: z.array(id).max(100).default([]).describe('Ids of labels to take off the mails.'),
    })
    .refine(({ add, remove }) => add.length + remove.length > 0, 'names no label to add or remove'),
);
const newLabel = input(
  z.strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(225)
      .refine((text) => !hasControls(text), 'must not contain control characters'),
  }),
);
const oldLabel = input(z.strictObject({ id }));

/** A label is named by its id in calls, and by its name to people. An id that is gone stays an id. */
async function labelNames(context: CallContext, ids: readonly string[]): Promise<string[]> {
  const { labels } = await callGmail(context, 'GET', ['labels']);
  const names = new Map(objectsIn(labels).map((label) => [textOf(label.id), textOf(label.name)]));
  return ids.map((labelId) => names.get(labelId) ?? labelId);
}

/** So many of the mails are shown by name; reading a thousand would take longer than anybody waits. */
const MOST_SHOWN = 10;

export const labelFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'modify_labels',
    title: 'Change labels',
    description:
      'Adds labels to mails and removes others. INBOX removed means archived, UNREAD removed means read.',
    risk: 'write',
    approval: 'ask',
    scopes: [SCOPES.modify],
    idempotency: 'natural',
    input: modify.schema,
    output: '{modified}: how many mails were named',
    card: (args) => {
      const { ids, add, remove } = modify.read(args);
      const mails = { label: 'Mails', value: `${ids.length}: ${ids.join(', ')}`, kind: 'long' } as const;
      return [mails, ...short('Add', add), ...short('Remove', remove)];
    },
    observe: {
      async read(context, args) {
        const { ids, add, remove } = modify.read(args);
        const names = await labelNames(context, [...add, ...remove]);
        const mails = await mapTen(ids.slice(0, MOST_SHOWN), (mail) => fetchSummary(context, mail));
        const more = ids.length - mails.length;
        return {
          fields: [
            ...mails.map(mailField),
            ...short('And', more > 0 ? `${more} more` : undefined),
            ...short('Labels to add', names.slice(0, add.length)),
            ...short('Labels to remove', names.slice(add.length)),
          ],
          // The text of a mail never changes, and what labels it has is not what was approved.
          version: '',
        };
      },
      condition: null,
    },
    async run(context, args) {
      const { ids, add, remove } = modify.read(args);
      const change = { addLabelIds: add, removeLabelIds: remove };
      const [only] = ids;
      // The batch says nothing about ids it does not know; a single mail that is missing is an error.
      if (ids.length === 1 && only !== undefined)
        await callGmail(context, 'POST', ['messages', only, 'modify'], { json: change });
      else await callGmail(context, 'POST', ['messages', 'batchModify'], { json: { ids, ...change } });
      return { modified: ids.length };
    },
  }),
  defineFunction({
    name: 'create_label',
    title: 'Create a label',
    description: 'Creates a label. "Support/Urgent" nests it.',
    risk: 'write',
    approval: 'ask',
    scopes: [SCOPES.labels],
    // A name that exists is refused, so a repeat creates nothing.
    idempotency: 'natural',
    input: newLabel.schema,
    output: '{id, name}',
    card: (args) => short('Name', newLabel.read(args).name),
    observe: { none: 'It creates something new; there is no target yet.' },
    async run(context, args) {
      const label = await callGmail(context, 'POST', ['labels'], {
        json: { name: newLabel.read(args).name },
      });
      return { id: textOf(label.id), name: textOf(label.name) };
    },
  }),
  defineFunction({
    name: 'delete_label',
    title: 'Delete a label',
    description: 'Deletes a label and takes it off every mail, for good. The mails stay.',
    risk: 'destructive',
    approval: 'off',
    askEveryTime: true,
    scopes: [SCOPES.labels],
    idempotency: 'natural',
    input: oldLabel.schema,
    output: '{deleted}: the id',
    card: (args) => short('Label', oldLabel.read(args).id),
    observe: {
      async read(context, args) {
        const label = await callGmail(context, 'GET', ['labels', oldLabel.read(args).id]);
        return { fields: short('Name', textOf(label.name)), version: '' };
      },
      condition: null,
    },
    async run(context, args) {
      const { id: labelId } = oldLabel.read(args);
      await callGmail(context, 'DELETE', ['labels', labelId]);
      return { deleted: labelId };
    },
  }),
];

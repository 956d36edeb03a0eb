/** Gmail functions that change what the mailbox does by itself. Both ship disabled. */
import { z } from 'zod';
import { input, long, oneLine, short } from '../fields.js';
import { defineFunction, type FunctionDefinition, type ObservedField } from '../framework.js';
import { compact, type JsonObject, textOf } from '../json.js';
import { mailAddress } from '../mime.js';
import { callGmail, SCOPES } from './api.js';
import { bodyHtml, bodyText, id, searchQuery } from './fields.js';

const criterion = z.exactOptional(oneLine(998));
const filter = input(
  z
    .strictObject({
      from: criterion.describe('Name or address of the sender.'),
      to: criterion.describe('Name or address of a recipient.'),
      subject: criterion.describe('Words in the subject.'),
      query: z.exactOptional(searchQuery.min(1)),
      negated_query: z.exactOptional(searchQuery.min(1)).describe('A Gmail search that must not match.'),
      has_attachment: z.exactOptional(z.boolean()),
      add_label_ids: z
        .array(id)
        .max(100)
        .default([])
        .describe('Labels for mails that match; TRASH deletes them.'),
      remove_label_ids: z.array(id).max(100).default([]).describe('INBOX archives, UNREAD marks as read.'),
      forward: z
        .exactOptional(mailAddress)
        .describe('Passes mails on; the address must be verified in Gmail.'),
    })
    .refine(
      ({ from, to, subject, query, negated_query, has_attachment }) =>
        [from, to, subject, query, negated_query, has_attachment].some((given) => given !== undefined),
      'names nothing that mails must match',
    )
    .refine(
      ({ add_label_ids, remove_label_ids, forward }) =>
        add_label_ids.length + remove_label_ids.length > 0 || forward !== undefined,
      'names nothing to do with the mails',
    ),
);

const time = z.exactOptional(
  z.iso.datetime({ offset: true, error: 'is not a time such as 2026-05-01T08:00:00Z' }),
);
const vacation = input(
  z
    .strictObject({
      enabled: z.boolean(),
      subject: z.exactOptional(oneLine(998)).describe('Stands before the subject of the answer.'),
      body_text: z.exactOptional(bodyText),
      body_html: z.exactOptional(bodyHtml),
      start: time.describe('Answers only mails that come after it.'),
      end: time.describe('Answers only mails that come before it.'),
      contacts_only: z.boolean().default(false).describe('Answers only people in the contacts.'),
      domain_only: z.boolean().default(false).describe('Answers only people of the own domain.'),
    })
    .refine(
      ({ enabled, subject, body_text, body_html }) =>
        !enabled || [subject, body_text, body_html].some((given) => given !== undefined),
      'needs a subject or a text to answer with',
    )
    .refine(
      ({ start, end }) => start === undefined || end === undefined || Date.parse(start) < Date.parse(end),
      { error: 'start must come before end', path: ['end'] },
    ),
);

function epoch(text: string | undefined): string | undefined {
  return text === undefined ? undefined : String(Date.parse(text));
}

function isoOf(value: JsonObject[string] | undefined): string {
  const time = Number(value ?? Number.NaN);
  return Number.isFinite(time) && time > 0 && time <= 8.64e15 ? new Date(time).toISOString() : '';
}

/** VacationSettings as the API takes them; a PUT replaces them all. */
function vacationSettings(args: ReturnType<typeof vacation.read>): JsonObject {
  return compact({
    enableAutoReply: args.enabled,
    responseSubject: args.subject,
    responseBodyPlainText: args.body_text,
    responseBodyHtml: args.body_html,
    startTime: epoch(args.start),
    endTime: epoch(args.end),
    restrictToContacts: args.contacts_only,
    restrictToDomain: args.domain_only,
  });
}

function vacationOf(settings: JsonObject) {
  return {
    enabled: settings.enableAutoReply === true,
    subject: textOf(settings.responseSubject),
    body_text: textOf(settings.responseBodyPlainText),
    body_html: textOf(settings.responseBodyHtml),
    start: isoOf(settings.startTime),
    end: isoOf(settings.endTime),
    contacts_only: settings.restrictToContacts === true,
    domain_only: settings.restrictToDomain === true,
  };
}

const LABELS = [
  ['enabled', 'Answers by itself', 'short'],
  ['subject', 'Subject', 'short'],
  ['body_text', 'Text', 'long'],
  ['body_html', 'HTML', 'long'],
  ['start', 'From', 'short'],
  ['end', 'Until', 'short'],
  ['contacts_only', 'Only contacts', 'short'],
  ['domain_only', 'Only the own domain', 'short'],
] as const;

function shown(value: boolean | string): string {
  return typeof value === 'string' ? value : value ? 'yes' : 'no';
}

export const settingsFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'create_filter',
    title: 'Create a filter',
    description: 'Creates a filter that sorts, or passes on, every mail that comes in and matches.',
    risk: 'destructive',
    approval: 'off',
    // It may hand every mail of the future to somebody else.
    askEveryTime: true,
    scopes: [SCOPES.settings],
    idempotency: 'none',
    input: filter.schema,
    output: '{id}',
    card: (args) => {
      const asked = filter.read(args);
      return [
        ...short('From', asked.from),
        ...short('To', asked.to),
        ...short('Subject', asked.subject),
        ...short('Search', asked.query),
        ...short('But not', asked.negated_query),
        ...short('Has an attachment', asked.has_attachment),
        ...short('Pass on to', asked.forward),
        ...short('Add labels', asked.add_label_ids),
        ...short('Remove labels', asked.remove_label_ids),
      ];
    },
    observe: { none: 'It creates something new; there is no target yet.' },
    async run(context, args) {
      const asked = filter.read(args);
      const criteria = compact({
        from: asked.from,
        to: asked.to,
        subject: asked.subject,
        query: asked.query,
        negatedQuery: asked.negated_query,
        hasAttachment: asked.has_attachment,
      });
      const action = compact({
        addLabelIds: asked.add_label_ids,
        removeLabelIds: asked.remove_label_ids,
        forward: asked.forward,
      });
      const created = await callGmail(context, 'POST', ['settings', 'filters'], {
        json: { criteria, action },
      });
      return { id: textOf(created.id) };
    },
  }),
  defineFunction({
    name: 'set_vacation_reply',
    title: 'Set the vacation reply',
    description: 'Turns the automatic reply of the mailbox on or off, and replaces what it says.',
    reachesUnnamed: (args) => args.enabled === true,
    risk: 'destructive',
    approval: 'off',
    scopes: [SCOPES.settings],
    idempotency: 'natural',
    input: vacation.schema,
    output: '{enabled, subject, body_text, body_html, start, end, contacts_only, domain_only}',
    card: (args) => {
      const asked = vacation.read(args);
      return LABELS.flatMap(([name, label, kind]) => {
        const value = asked[name];
        if (value === undefined || value === false) return name === 'enabled' ? short(label, 'no') : [];
        return kind === 'long' ? long(label, shown(value)) : short(label, shown(value));
      });
    },
    observe: {
      async read(context, args) {
        const before = vacationOf(await callGmail(context, 'GET', ['settings', 'vacation']));
        const after = vacationOf(vacationSettings(vacation.read(args)));
        const fields = LABELS.flatMap(([name, label, kind]): ObservedField[] => {
          const [value, next] = [shown(before[name]), shown(after[name])];
          if (value !== next) return [{ label, value, kind, after: next }];
          return value === '' || value === 'no' ? [] : [{ label, value, kind }];
        });
        return { fields, version: '' };
      },
      condition: null,
    },
    async run(context, args) {
      const json = vacationSettings(vacation.read(args));
      return vacationOf(await callGmail(context, 'PUT', ['settings', 'vacation'], { json }));
    },
  }),
];

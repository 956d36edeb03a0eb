/** Functions on whole calendars: who may see them, new ones, old ones. All ship disabled. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, manyLines, oneLine, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, objectOf, textOf } from '../json.js';
import { mailAddress } from '../mime.js';
import { callCalendar, SCOPES } from './api.js';
import { calendarId, otherCalendarId, timeZone } from './fields.js';

/** Roles and kinds of grantees: @googleapis/calendar 16, Schema$AclRule. */
const share = input(
  z
    .strictObject({
      calendar_id: calendarId,
      type: z.enum(['user', 'group', 'domain', 'default']).describe('default: everybody, also strangers.'),
      value: z
        .exactOptional(z.union([mailAddress, z.hostname()]))
        .describe('The address of the user or group, or the domain.'),
      role: z
        .enum(['none', 'freeBusyReader', 'reader', 'writerWithoutPrivateAccess', 'writer', 'owner'])
        .describe('none takes the access away.'),
      send_notifications: z.boolean().default(true).describe('Tells them by mail.'),
    })
    .refine(({ type, value = '' }) => (type === 'default' ? value === '' : value !== ''), {
      error: 'a user, a group and a domain need a value; default has none',
      path: ['value'],
    })
    .refine(({ type, value = '' }) => type === 'default' || value.includes('@') === (type !== 'domain'), {
      error: 'is an address for users and groups, and a domain for a domain',
      path: ['value'],
    }),
);
const newCalendar = input(
  z.strictObject({
    name: oneLine(254),
    description: z.exactOptional(manyLines(8_192)),
    time_zone: z.exactOptional(timeZone),
  }),
);
const oldCalendar = input(z.strictObject({ calendar_id: otherCalendarId }));

type Share = ReturnType<typeof share.read>;

/** As a rule's id has it: `user:cleo@example.com`, `default`. */
function granteeOf({ type, value }: Share): string {
  return value === undefined ? type : `${type}:${value}`;
}

function accessOf(rule: JsonObject): JsonObject {
  const { type, value } = objectOf(rule.scope);
  return { id: textOf(rule.id), type: textOf(type), value: textOf(value), role: textOf(rule.role) };
}

export const calendarFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'share_calendar',
    title: 'Share a calendar',
    description: 'Lets a person, a group, a domain or everybody see or change a calendar, or ends that.',
    reachesUnnamed: ({ type }) => type === 'domain' || type === 'default',
    risk: 'destructive',
    approval: 'off',
    askEveryTime: true,
    scopes: [SCOPES.acls],
    idempotency: 'natural',
    input: share.schema,
    output: '{id, type, value, role}',
    card: (args) => {
      const asked = share.read(args);
      return [
        ...short('Calendar', asked.calendar_id),
        ...short('Shared with', asked.type === 'default' ? 'Everybody' : granteeOf(asked)),
        ...short('Role', asked.role),
        ...short('Tell by mail', asked.send_notifications ? 'yes' : 'no'),
      ];
    },
    observe: {
      async read(context, args) {
        const asked = share.read(args);
        const path = ['calendars', asked.calendar_id, 'acl', granteeOf(asked)];
        const rule = await callCalendar(context, 'GET', path).catch((error: unknown): JsonObject => {
          if (error instanceof UpstreamError && error.status === 404) return {};
          throw error;
        });
        const value = textOf(rule.role) || 'none';
        const after = value === asked.role ? {} : { after: asked.role };
        return {
          fields: [{ label: 'Role', value, kind: 'short', ...after }],
          version: textOf(rule.etag),
        };
      },
      condition: null,
    },
    async run(context, args) {
      const asked = share.read(args);
      const scope = compact({ type: asked.type, value: asked.value });
      const rule = await callCalendar(context, 'POST', ['calendars', asked.calendar_id, 'acl'], {
        query: { sendNotifications: String(asked.send_notifications) },
        json: { role: asked.role, scope },
      });
      return accessOf(rule);
    },
  }),
  defineFunction({
    name: 'create_calendar',
    title: 'Create a calendar',
    description: 'Creates another calendar for the account.',
    risk: 'write',
    approval: 'off',
    scopes: [SCOPES.calendars],
    idempotency: 'none',
    input: newCalendar.schema,
    output: '{id, name, description, time_zone}',
    card: (args) => {
      const asked = newCalendar.read(args);
      return [
        ...short('Name', asked.name),
        ...long('Description', asked.description),
        ...short('Time zone', asked.time_zone),
      ];
    },
    observe: { none: 'It creates something new; there is no target yet.' },
    async run(context, args) {
      const { name, description, time_zone: zone } = newCalendar.read(args);
      const json = compact({ summary: name, description, timeZone: zone });
      const created = await callCalendar(context, 'POST', ['calendars'], { json });
      return {
        id: textOf(created.id),
        name: textOf(created.summary),
        description: textOf(created.description),
        time_zone: textOf(created.timeZone),
      };
    },
  }),
  defineFunction({
    name: 'delete_calendar',
    title: 'Delete a calendar',
    description: 'Deletes a calendar with all its events, for good. The primary calendar cannot be deleted.',
    risk: 'destructive',
    approval: 'off',
    askEveryTime: true,
    scopes: [SCOPES.calendars],
    idempotency: 'natural',
    input: oldCalendar.schema,
    output: '{deleted}: the id',
    card: (args) => short('Calendar', oldCalendar.read(args).calendar_id),
    observe: {
      async read(context, args) {
        const path = ['calendars', oldCalendar.read(args).calendar_id];
        const calendar = await callCalendar(context, 'GET', path);
        return {
          fields: [
            ...short('Name', textOf(calendar.summary)),
            ...long('Description', textOf(calendar.description) || undefined),
            ...short('Time zone', textOf(calendar.timeZone) || undefined),
          ],
          version: textOf(calendar.etag),
        };
      },
      condition: null,
    },
    async run(context, args) {
      const { calendar_id: calendar } = oldCalendar.read(args);
      await callCalendar(context, 'DELETE', ['calendars', calendar]);
      return { deleted: calendar };
    },
  }),
];

/** SharePoint functions that show and change who may see a file or folder. Each change is asked about every time. */
import { z } from 'zod';
import { input, long, manyLines, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, objectOf, objectsIn, textOf, textOrNull, textsIn } from '../json.js';
import { at, graphPageToken, pageOf, pageQuery } from '../microsoft/graph.js';
import { mailAddress } from '../mime.js';
import { callSharePoint, fetchItem, itemFields, observeItem, personOf, SCOPES } from './api.js';
import { driveId, itemId, permissionId } from './fields.js';

const item = { drive_id: driveId, item_id: itemId };
/** It takes no page size (driveItem: list permissions). */
const permissions = input(z.strictObject({ ...item, page_token: z.exactOptional(graphPageToken) }));
/** The message: at most 2,000 characters (driveItem: invite). */
const invitation = input(
  z.strictObject({
    ...item,
    to: z.array(mailAddress).min(1).max(50).describe('Addresses of people or groups.'),
    role: z.enum(['read', 'write']),
    send_invitation: z.boolean().default(false).describe('Tells them by mail.'),
    message: z.exactOptional(manyLines(2_000)).describe('Goes into that mail.'),
  }),
);
const oldPermission = input(
  z.strictObject({
    ...item,
    permission_id: permissionId.describe('id of the permission, from list_item_permissions.'),
  }),
);

function permissionOf(permission: JsonObject): JsonObject {
  const link = objectOf(permission.link);
  const people = [
    ...objectsIn(permission.grantedToIdentitiesV2 ?? permission.grantedToIdentities),
    ...[permission.grantedToV2 ?? permission.grantedTo ?? []].flat(),
  ].flatMap((person) => personOf(person) ?? []);
  const invited = textOf(objectOf(permission.invitation).email);
  return compact({
    id: textOf(permission.id),
    roles: textsIn(permission.roles),
    granted_to: people.length === 0 && invited !== '' ? [invited] : people,
    link:
      permission.link === undefined
        ? null
        : { type: textOf(link.type), scope: textOf(link.scope), url: textOf(link.webUrl) },
    inherited: permission.inheritedFrom !== undefined && permission.inheritedFrom !== null,
    expires_at: textOrNull(permission.expirationDateTime),
    // invite answers 207 when it worked for some of the people
    error: textOrNull(objectOf(permission.error).message) ?? undefined,
  });
}

async function observePermission(context: CallContext, args: ReturnType<typeof oldPermission.read>) {
  const { drive_id: drive, item_id: id, permission_id: permission } = args;
  const found = await fetchItem(context, drive, id);
  const path = at`/drives/${drive}/items/${id}/permissions/${permission}`;
  const { roles, granted_to: people, link } = permissionOf(await callSharePoint(context, { path }));
  const { type, scope } = objectOf(link);
  return {
    fields: [
      ...itemFields(found),
      ...short('Of', people),
      ...short('Link', link === null ? undefined : `${textOf(type)}, ${textOf(scope)}`),
      ...short('Role', roles),
    ],
    version: '',
  };
}

const CHANGE = {
  risk: 'destructive',
  approval: 'ask',
  askEveryTime: true,
  scopes: [SCOPES.writeFiles],
} as const satisfies Partial<FunctionDefinition>;
const PERMISSION = '{id, roles, granted_to, link: {type, scope, url}, inherited, expires_at}';

const always: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'list_item_permissions',
    title: 'Who may see it',
    description: 'Who may read or change a file or folder, by name or by link.',
    risk: 'read',
    approval: 'auto',
    idempotency: 'natural',
    scopes: [SCOPES.readFiles],
    input: permissions.schema,
    output: `{permissions: [${PERMISSION}], next_page_token}`,
    card: (args) => short('Item', permissions.read(args).item_id),
    async run(context, args) {
      const { drive_id: drive, item_id: id, page_token: token } = permissions.read(args);
      const path = at`/drives/${drive}/items/${id}/permissions`;
      const query = pageQuery(token);
      const { items, next_page_token } = pageOf(await callSharePoint(context, { path, query }));
      return { permissions: items.map(permissionOf), next_page_token };
    },
  }),
  defineFunction({
    ...CHANGE,
    name: 'share_item',
    title: 'Share with people',
    description: 'Lets people read or change a file or folder, and tells them by mail if asked to.',
    // A repeat would tell them again.
    idempotency: 'none',
    input: invitation.schema,
    output: `{permissions: [${PERMISSION}]}; error in one that was not granted`,
    card: (args) => {
      const { item_id: id, to, role, send_invitation: tell, message } = invitation.read(args);
      return [
        ...short('Item', id),
        ...short('With', to),
        ...short('They may', role === 'write' ? 'Read and change it' : 'Read it'),
        ...short('Mail to them', tell ? 'Yes' : 'No'),
        ...long('Message', message),
      ];
    },
    observe: { condition: null, read: (context, args) => observeItem(context, invitation.read(args)) },
    async run(context, args) {
      const {
        drive_id: drive,
        item_id: id,
        to,
        role,
        send_invitation: tell,
        message,
      } = invitation.read(args);
      const path = at`/drives/${drive}/items/${id}/invite`;
      const recipients = to.map((email) => ({ email }));
      const json = { recipients, roles: [role], requireSignIn: true, sendInvitation: tell };
      const answer = await callSharePoint(context, {
        method: 'POST',
        path,
        json: { ...json, ...compact({ message }) },
      });
      return { permissions: objectsIn(answer.value).map(permissionOf) };
    },
  }),
  defineFunction({
    ...CHANGE,
    name: 'remove_permission',
    title: 'Take a permission away',
    description:
      'Takes a permission or a link off a file or folder. An inherited one has to go where it was given.',
    idempotency: 'natural',
    input: oldPermission.schema,
    output: '{removed}: the id',
    card: (args) => {
      const { item_id: id, permission_id: permission } = oldPermission.read(args);
      return [...short('Item', id), ...short('Permission', permission)];
    },
    observe: {
      condition: null,
      read: (context, args) => observePermission(context, oldPermission.read(args)),
    },
    async run(context, args) {
      const { drive_id: drive, item_id: id, permission_id: permission } = oldPermission.read(args);
      const path = at`/drives/${drive}/items/${id}/permissions/${permission}`;
      await callSharePoint(context, { method: 'DELETE', path });
      return { removed: permission };
    },
  }),
];

const WHO = {
  anonymous: 'Anyone who has the link, without signing in',
  organization: 'Everybody in the organisation',
} as const;

/** `scope` (driveItem: createLink): an anonymous link works for whoever gets hold of it. */
function createLink(scopes: readonly (keyof typeof WHO)[]): FunctionDefinition {
  const wanted = input(
    z.strictObject({
      ...item,
      type: z.enum(['view', 'edit']).default('view'),
      scope: z.enum(scopes).describe('For whom the link works.'),
    }),
  );
  return defineFunction({
    ...CHANGE,
    name: 'create_link',
    title: 'Create a sharing link',
    description: 'Creates a link to a file or folder, or returns the one of that kind that exists.',
    reachesUnnamed: true,
    idempotency: 'natural',
    input: wanted.schema,
    output: PERMISSION,
    card: (args) => {
      const { item_id: id, type, scope } = wanted.read(args);
      return [...short('Item', id), ...short('Lets them', type), ...short('Works for', WHO[scope])];
    },
    observe: { condition: null, read: (context, args) => observeItem(context, wanted.read(args)) },
    async run(context, args) {
      const { drive_id: drive, item_id: id, type, scope } = wanted.read(args);
      const path = at`/drives/${drive}/items/${id}/createLink`;
      return permissionOf(await callSharePoint(context, { method: 'POST', path, json: { type, scope } }));
    },
  });
}

const linkInside = createLink(['organization']);
const linkForAnyone = createLink(['organization', 'anonymous']);

/** @param anonymousLinks whether the admin allows links that need no sign-in */
export function sharingFunctions(anonymousLinks: boolean): readonly FunctionDefinition[] {
  return [...always, anonymousLinks ? linkForAnyone : linkInside];
}

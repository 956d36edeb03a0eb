/** Google Drive functions that change who may see a file. Nobody becomes its owner through them. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, manyLines, short } from '../fields.js';
import {
  type Arguments,
  type CallContext,
  type CardField,
  defineFunction,
  type FunctionDefinition,
  type Observation,
} from '../framework.js';
import { compact, type JsonObject, objectsIn, textOf } from '../json.js';
import { mailAddress } from '../mime.js';
import { Access } from './access.js';
import { ALL_DRIVES, callDrive, SCOPES } from './api.js';
import { itemId, TARGET_FIELDS } from './item.js';
import { granteeOf, PERMISSION_FIELDS, permissionOf } from './permission.js';
import { placedFields } from './place.js';

const role = z.enum(['reader', 'commenter', 'writer']);
const permissionId = z.string().regex(/^[\w-]{1,200}$/, 'is not an id of a permission');
const domain = z
  .string()
  .max(253)
  .regex(/^(?=.*\.)[a-z0-9.-]+$/i, 'is not a domain such as example.com');

type Grantee = 'user' | 'group' | 'domain' | 'anyone';

/** @param types what it can be shared with; `anyone` only where an admin allows public links */
function shareInput(types: readonly [Grantee, ...Grantee[]]) {
  return input(
    z
      .strictObject({
        id: itemId,
        type: z.enum(types),
        role,
        email: z.exactOptional(mailAddress).describe('Of the user or the group.'),
        domain: z.exactOptional(domain).describe('Of the company, for type domain.'),
        send_notification: z.boolean().default(true).describe('Users and groups get a mail from Google.'),
        message: z.exactOptional(manyLines(2_000)).describe('Stands in that mail.'),
      })
      .refine(({ type, email }) => (type === 'user' || type === 'group') === (email !== undefined), {
        path: ['email'],
        error: 'belongs to type user or group, and to no other',
      })
      .refine(({ type, domain: named }) => (type === 'domain') === (named !== undefined), {
        path: ['domain'],
        error: 'belongs to type domain, and to no other',
      })
      .refine(
        ({ type, send_notification: mail, message }) =>
          message === undefined || (mail && (type === 'user' || type === 'group')),
        { path: ['message'], error: 'is only sent with the mail to a user or a group' },
      ),
  );
}

const withPeople = shareInput(['user', 'group', 'domain']);
const withAnyone = shareInput(['user', 'group', 'domain', 'anyone']);
const revoked = input(z.strictObject({ id: itemId, permission_id: permissionId }));
const changed = input(z.strictObject({ id: itemId, permission_id: permissionId, role }));

function isPublicAllowed(context: CallContext): boolean {
  return context.config.allow_public_sharing === 'yes';
}

/** @throws UpstreamError */
function refusePublic(context: CallContext, type: string): void {
  if (type !== 'anyone' || isPublicAllowed(context)) return;
  const message = 'Sharing with anyone who has the link is turned off for this connection.';
  throw new UpstreamError('forbidden_upstream', message, { definite: true });
}

function readPermission(context: CallContext, id: string, permission: string): Promise<JsonObject> {
  const query = { ...ALL_DRIVES, fields: PERMISSION_FIELDS };
  return callDrive(context, 'GET', ['files', id, 'permissions', permission], { query });
}

/** The file, and one permission of it: as it is, and as it will be. */
async function observePermission(
  context: CallContext,
  args: { id: string; permission_id: string },
  after: string,
): Promise<Observation> {
  const drive = new Access(context);
  const file = await drive.item(args.id, TARGET_FIELDS);
  const permission = await readPermission(context, args.id, args.permission_id);
  const access = { label: 'Access', value: textOf(permission.role), kind: 'short', after } as const;
  return {
    fields: [...(await placedFields(drive, file)), ...short('Whose', granteeOf(permission)), access],
    version: '',
  };
}

function shareCard(args: Arguments): CardField[] {
  const share = withAnyone.read(args);
  return [
    ...short('File', share.id),
    ...short(
      'With',
      granteeOf({ type: share.type, emailAddress: share.email ?? '', domain: share.domain ?? '' }),
    ),
    ...short('As', share.role),
    ...short('Mail', share.send_notification && share.email !== undefined ? 'Google sends one' : undefined),
    ...long('Message', share.message),
  ];
}

const SHARE = {
  risk: 'destructive',
  approval: 'ask',
  askEveryTime: true,
  scopes: [SCOPES.own],
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
const OUTPUT = '{id, type, role, email, domain, name} of the permission';

/** @param isPublic whether an admin allows links that work for anyone */
export function sharingFunctions(isPublic: boolean): readonly FunctionDefinition[] {
  return [
    defineFunction({
      ...SHARE,
      name: 'share_file',
      title: 'Share a file',
      description: 'Lets a person, a group or a whole domain see, comment or change a file or a folder.',
      reachesUnnamed: ({ type }) => type === 'domain' || type === 'anyone',
      input: (isPublic ? withAnyone : withPeople).schema,
      output: OUTPUT,
      card: shareCard,
      observe: {
        condition: null,
        async read(context, args) {
          const share = withAnyone.read(args);
          const drive = new Access(context);
          const file = await drive.item(share.id, TARGET_FIELDS);
          const { permissions } = await callDrive(context, 'GET', ['files', share.id, 'permissions'], {
            query: { ...ALL_DRIVES, fields: `permissions(${PERMISSION_FIELDS})`, pageSize: '100' },
          });
          const isSame = (one: JsonObject): boolean =>
            one.type === share.type &&
            textOf(one.emailAddress).toLowerCase() === (share.email ?? '').toLowerCase() &&
            textOf(one.domain).toLowerCase() === (share.domain ?? '').toLowerCase();
          const before = textOf(objectsIn(permissions).find(isSame)?.role) || 'none';
          const access = { label: 'Access', value: before, kind: 'short', after: share.role } as const;
          return { fields: [...(await placedFields(drive, file)), access], version: '' };
        },
      },
      async run(context, args) {
        const {
          id,
          type,
          role: as,
          email,
          domain: named,
          send_notification: mail,
          message,
        } = withAnyone.read(args);
        refusePublic(context, type);
        await new Access(context).require(id);
        // "Not allowed for other requests" than those for users and groups (client types of permissions.create).
        const sendNotificationEmail = email === undefined ? undefined : String(mail);
        const permission = await callDrive(context, 'POST', ['files', id, 'permissions'], {
          query: { ...ALL_DRIVES, fields: PERMISSION_FIELDS, sendNotificationEmail, emailMessage: message },
          json: compact({ type, role: as, emailAddress: email, domain: named }),
        });
        return permissionOf(permission);
      },
    }),
    defineFunction({
      ...SHARE,
      name: 'unshare_file',
      title: 'Stop sharing a file',
      description: 'Takes a permission away. list_permissions tells which there are.',
      input: revoked.schema,
      output: '{removed}: the id of the permission',
      card: (args) => {
        const { id, permission_id: permission } = revoked.read(args);
        return [...short('File', id), ...short('Permission', permission)];
      },
      observe: {
        condition: null,
        read: (context, args) => observePermission(context, revoked.read(args), 'none'),
      },
      async run(context, args) {
        const { id, permission_id: permission } = revoked.read(args);
        await new Access(context).require(id);
        await callDrive(context, 'DELETE', ['files', id, 'permissions', permission], { query: ALL_DRIVES });
        return { removed: permission };
      },
    }),
    defineFunction({
      ...SHARE,
      name: 'change_permission',
      title: 'Change what somebody may do',
      description: 'Changes a permission to reader, commenter or writer.',
      reachesUnnamed: true,
      input: changed.schema,
      output: OUTPUT,
      card: (args) => {
        const { id, permission_id: permission, role: as } = changed.read(args);
        return [...short('File', id), ...short('Permission', permission), ...short('As', as)];
      },
      observe: {
        condition: null,
        read: (context, args) => observePermission(context, changed.read(args), changed.read(args).role),
      },
      async run(context, args) {
        const { id, permission_id: permission, role: as } = changed.read(args);
        await new Access(context).require(id);
        refusePublic(context, textOf((await readPermission(context, id, permission)).type));
        const query = { ...ALL_DRIVES, fields: PERMISSION_FIELDS };
        const more = { query, json: { role: as } };
        return permissionOf(
          await callDrive(context, 'PATCH', ['files', id, 'permissions', permission], more),
        );
      },
    }),
  ];
}

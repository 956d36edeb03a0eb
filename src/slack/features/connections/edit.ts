/** `/connections edit KEY`. */
import type { View } from '@slack/types';
import { fieldBlock } from '../../../../blocks/connections/add.js';
import { connectionEditModal } from '../../../../blocks/connections/edit.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import type { FormField, JsonValue } from '../../../connectors/framework.js';
import { AppError } from '../../../errors.js';
import { looksLikeSecret } from '../../../redact.js';
import type { ConnectionChange } from '../../../services/connections.js';
import { requireMembers } from '../../../services/people.js';
import type { Register, SlackEdge } from '../../edge.js';
import { type Answer, backTo, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger } from '../../modal.js';
import { groupChoices } from '../../usergroups.js';
import type { FormState } from '../../view-state.js';
import { askedFields, connectorField, DOCUMENT_FIELD, nameWarning } from './add-form.js';
import { detailView } from './detail.js';

/** The connector's settings; a document is read in the function picker instead. */
async function settingFields(edge: SlackEdge, connection: ConnectionDocument): Promise<readonly FormField[]> {
  const connector = await edge.deps.connector(connection.connector);
  return askedFields(connector, connection.auth).filter(({ name }) => name !== DOCUMENT_FIELD);
}

async function editView(edge: SlackEdge, connection: ConnectionDocument): Promise<View> {
  const { _id: id, key, name, purpose, ownerId, businessOwnerId, visibility, config } = connection;
  return connectionEditModal({
    connection: { id, key, name, purpose, ownerId, businessOwnerId },
    fields: (await settingFields(edge, connection)).map((field) => {
      const value = config[field.name];
      return connectorField(field, typeof value === 'string' ? value : undefined);
    }),
    visibility: {
      everyone: visibility.everyone,
      users: visibility.users,
      groups: await groupChoices(edge, visibility.usergroups),
    },
  });
}

export async function openEdit(
  edge: SlackEdge,
  trigger: Trigger,
  userId: string,
  keyOrId: string,
): Promise<void> {
  await showModal(edge, trigger, 'Edit the connection', async () =>
    editView(edge, await edge.services.connections.managed(userId, keyOrId, true)),
  );
}

/** The connector's settings as they are in the form; null when none changed. */
async function changedConfig(
  edge: SlackEdge,
  userId: string,
  form: FormState,
  connection: ConnectionDocument,
): Promise<Record<string, JsonValue> | null> {
  const before = connection.config as Record<string, JsonValue>;
  const after = { ...before };
  const fields = await settingFields(edge, connection);
  for (const { name, kind } of fields) {
    const block = fieldBlock(name);
    const value = kind === 'select' ? (form.choice(block) ?? '') : form.text(block);
    if (looksLikeSecret(value)) {
      const message =
        'This looks like a secret. Secrets are entered on a web page (Reconnect). Rotate it: Slack has seen it.';
      throw new AppError('invalid_arguments', message, { path: `/${name}` });
    }
    if (value === '') delete after[name];
    else after[name] = name === 'base_url' ? await edge.services.restImport.checkBaseUrl(value) : value;
  }
  const changed = fields.filter(
    (field) => before[field.name] !== after[field.name] && !isDefault(field, before, after),
  );
  if (changed.length === 0) return null;
  await checkAddresses(edge, userId, connection, changed, after);
  return after;
}

const OAUTH_ENDPOINTS: readonly string[] = ['authorize_url', 'token_url', 'revoke_url'];

/** Whoever changes an address says where the credential goes: that is an admin's to say. */
async function checkAddresses(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  changed: readonly FormField[],
  after: Readonly<Record<string, JsonValue>>,
): Promise<void> {
  const { roles, restImport } = edge.services;
  const address = changed.find(({ kind }) => kind === 'url');
  if (!address) return;
  if (!(await roles.of(userId)).admin) {
    const message = 'The credential is sent there, so only an admin may change it.';
    throw new AppError('forbidden', message, { path: `/${address.name}` });
  }
  if (changed.some(({ name }) => OAUTH_ENDPOINTS.includes(name)))
    await restImport.checkEndpoints(connection.auth, after);
}

/** A select that shows its default says what leaving it out says. */
function isDefault(
  { name, initial }: FormField,
  before: Readonly<Record<string, JsonValue>>,
  after: Readonly<Record<string, JsonValue>>,
): boolean {
  return before[name] === undefined && after[name] === initial;
}

async function submitEdit(edge: SlackEdge, { userId, form, view }: Submission): Promise<Answer> {
  const { connections, credentials } = edge.services;
  const connection = await connections.managed(userId, form.metadata.connection ?? '', true);
  const ownerId = form.user('owner') ?? connection.ownerId;
  const businessOwnerId = form.user('business_owner');
  const everyone = form.choice('visibility') !== 'some';
  const users = form.users('visible_users');
  const name = form.text('name');
  const purpose = form.text('purpose');
  for (const [block, text] of Object.entries({ name, purpose })) {
    if (!looksLikeSecret(text)) continue;
    throw new AppError(
      'invalid_arguments',
      'This looks like a secret. If it is one, rotate it: Slack has seen it.',
      { path: `/${block}` },
    );
  }
  await requireMembers(edge.deps.directory, [ownerId], '/owner');
  await requireMembers(edge.deps.directory, businessOwnerId ? [businessOwnerId] : [], '/business_owner');
  const config = await changedConfig(edge, userId, form, connection);
  const change: ConnectionChange = {
    name,
    purpose,
    ownerId,
    businessOwnerId,
    visibility: { everyone, users, usergroups: form.choices('visible_groups') },
    ...(config === null ? {} : { config }),
  };
  const saved = await connections.update({ kind: 'user', id: userId }, connection, change);
  const warning = nameWarning(saved.name, saved.purpose);
  const asksAgain =
    saved.identity === 'shared' && (await credentials.find(saved._id))?.status === 'needs_reauth'
      ? ' Its credential has to be entered again: Reconnect.'
      : '';
  const notice = `:white_check_mark: Saved.${asksAgain}${warning === null ? '' : ' The name does not say what the connection is for.'}`;
  return backTo(edge, view, () => detailView(edge, userId, connection._id, { notice }));
}

export const registerEdit: Register = (edge) => {
  onClick(edge, ACTIONS.connectionEdit, (click) => openEdit(edge, click, click.userId, click.value));
  onSubmit(edge, VIEWS.connectionEdit, 'name', (submission) => submitEdit(edge, submission));
};

/** The first form of `/connections add`: how it is drawn, read and checked. */
import {
  type AddForm,
  type ChosenConnector,
  type ConnectorField,
  fieldBlock,
} from '../../../../blocks/connections/add.js';
import type { CatalogueEntry } from '../../../connectors/catalogue.js';
import type { ConnectorDefinition, FormField, JsonValue } from '../../../connectors/framework.js';
import { AppError } from '../../../errors.js';
import { looksLikeSecret } from '../../../redact.js';
import { checkAuth, checkKey, checkName, checkPurpose } from '../../../services/connection-input.js';
import type { NewConnection } from '../../../services/connections.js';
import { requireMembers } from '../../../services/people.js';
import { documentUrl } from '../../../services/rest-import.js';
import type { SlackEdge } from '../../edge.js';
import { FormProblems } from '../../handle.js';
import type { FormState } from '../../view-state.js';

/** The field of a REST connection that is a document, not a setting. */
export const DOCUMENT_FIELD = 'openapi';

export interface TypedForm {
  readonly input: NewConnection;
  /** The connector's own fields as typed; empty ones are left out. */
  readonly fields: Readonly<Record<string, string>>;
  readonly anyway: boolean;
}

export function connectorField(field: FormField, value: string | undefined): ConnectorField {
  const { name, label, kind, optional, hint, placeholder, options, initial } = field;
  return {
    name,
    label,
    kind: kind === 'secret' || kind === 'secret_multiline' ? 'text' : kind,
    optional: optional === true,
    hint,
    placeholder,
    options: options ?? [],
    value: value ?? initial,
  };
}

/** The settings that are asked for with an auth method; without one chosen, with the first. */
export function askedFields(connector: ConnectorDefinition, auth: string): readonly FormField[] {
  const chosen = auth || connector.auth[0]?.id || '';
  return connector.fields.filter((field) => field.auth === undefined || field.auth.includes(chosen));
}

export function chosenConnector(
  connector: ConnectorDefinition,
  chosenAuth: string,
  typed: Readonly<Record<string, string>>,
): ChosenConnector {
  const { id, title, description, identities, auth, fields, notice } = connector;
  return {
    id,
    title,
    description,
    identities,
    auth: auth.map(({ id: value, title: label, identities: fits, hint }) => {
      const only = fits?.length === 1 && identities.length > 1 ? `Only ${fits[0]}. ` : '';
      const description = [...`${only}${hint ?? ''}`.trim()].slice(0, 75).join('');
      return { value, label, ...(description === '' ? {} : { description }) };
    }),
    recommended: auth.flatMap(({ id: value, recommended }) =>
      recommended ? [{ identity: recommended.identity, auth: value, why: recommended.why }] : [],
    ),
    notice: notice ?? null,
    fieldsByAuth: fields.some((field) => field.auth !== undefined),
    fields: askedFields(connector, chosenAuth).map((field) => connectorField(field, typed[field.name])),
  };
}

/** What was typed so far, so that nothing is lost when the form is drawn anew. */
export function typedSoFar(form: FormState, connector: ConnectorDefinition): TypedForm {
  const fields: Record<string, string> = {};
  const auth = form.choice(`auth.${connector.id}`) ?? '';
  for (const { name, kind } of askedFields(connector, auth)) {
    const block = fieldBlock(name);
    const value = kind === 'select' ? (form.choice(block) ?? '') : form.text(block);
    if (value !== '') fields[name] = value;
  }
  const identity = form.choice(`identity.${connector.id}`) === 'private' ? 'private' : 'shared';
  const key = form.text('key').toLowerCase();
  return {
    input: {
      connector: connector.id,
      identity,
      name: form.text('name'),
      ...(key === '' ? {} : { key }),
      purpose: form.text('purpose'),
      ownerId: form.user('owner') ?? '',
      businessOwnerId: form.user('business_owner'),
      auth,
      config: settingsOf(fields),
    },
    fields,
    anyway: form.choices('anyway').includes('yes'),
  };
}

function settingsOf(fields: Readonly<Record<string, string>>): Record<string, JsonValue> {
  const { [DOCUMENT_FIELD]: _, ...settings } = fields;
  return settings;
}

/** The form again, with what was typed. */
export function formAgain(
  connectors: readonly CatalogueEntry[],
  connector: ConnectorDefinition,
  { input, fields }: TypedForm,
  also: Pick<AddForm, 'problem' | 'duplicates'>,
): AddForm {
  return {
    connectors: connectorChoices(connectors),
    chosen: chosenConnector(connector, input.auth, fields),
    identity: input.identity,
    auth: input.auth || undefined,
    name: input.name,
    key: input.key,
    purpose: input.purpose,
    ownerId: input.ownerId === '' ? null : input.ownerId,
    businessOwnerId: input.businessOwnerId,
    ...also,
  };
}

export function connectorChoices(connectors: readonly CatalogueEntry[]): AddForm['connectors'] {
  return connectors.map(({ id, title, description }) => ({ value: id, label: title, description }));
}

const SECRET =
  'This looks like a secret. Secrets are entered on a web page in the last step. If it was a real one, rotate it: Slack has seen it.';

/** Everything that can be said before the document is read. @throws FormProblems | AppError with the path of an input */
export async function checkTyped(
  edge: SlackEdge,
  connector: ConnectorDefinition,
  typed: TypedForm,
): Promise<void> {
  const { input, fields } = typed;
  const texts: Record<string, string> = { name: input.name, purpose: input.purpose, key: input.key ?? '' };
  for (const [name, value] of Object.entries(fields)) {
    const isDocument = name === DOCUMENT_FIELD && documentUrl(value) === null;
    if (!isDocument) texts[fieldBlock(name)] = value;
  }
  const secrets = Object.entries(texts).filter(([, text]) => looksLikeSecret(text));
  if (secrets.length > 0)
    throw new FormProblems(Object.fromEntries(secrets.map(([block]) => [block, SECRET])));
  if (input.name !== '') checkName(input.name);
  if (checkPurpose(input.purpose) === '') {
    throw new AppError('invalid_arguments', 'Say what it is for.', { path: '/purpose' });
  }
  if (input.key !== undefined) {
    const taken = await edge.services.connections.find(checkKey(input.key));
    if (taken) throw new AppError('invalid_arguments', `The key “${input.key}” is taken.`, { path: '/key' });
  }
  await requireMembers(edge.deps.directory, [input.ownerId], '/owner');
  await requireMembers(
    edge.deps.directory,
    input.businessOwnerId ? [input.businessOwnerId] : [],
    '/business_owner',
  );
  checkAuth(connector, input.auth, input.identity);
  checkSettings(connector, input.config);
}

/** The connector's own check; what only an import can fill in is taken as given. */
function checkSettings(connector: ConnectorDefinition, settings: Record<string, JsonValue>): void {
  const imports = connector.fields.some(({ name }) => name === DOCUMENT_FIELD);
  const stand_in = imports ? { base_url: 'https://api.example.com', operations: [] } : {};
  const parsed = connector.config.safeParse({ ...stand_in, ...settings });
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  throw new AppError('invalid_arguments', issue?.message ?? 'This setting is not valid.', {
    path: `/config/${issue?.path.join('/') ?? ''}`,
  });
}

const NAME_LIMIT = 80;

/** `Helpdesk - Support agents answer customers`: the system and the purpose, as PRODUCT.md wants names to be. */
export function proposedName(system: string, purpose: string): string {
  const words = purpose.replace(/\s+/g, ' ').trim();
  const room = NAME_LIMIT - [...system].length - 3;
  const [sentence = ''] = words.split(/[.;:!?]/);
  const short = [...sentence].slice(0, Math.max(10, room)).join('');
  const whole = short === sentence ? short : short.replace(/\s+\S*$/, '');
  return [...`${system} - ${whole}`].slice(0, NAME_LIMIT).join('').trim();
}

/** A remark on a name that says neither what it is for nor whose it is; null for a good one. */
export function nameWarning(name: string, purpose: string): string | null {
  const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? [];
  const purposeWords = new Set(wordsOf(purpose));
  const says = /\s[-–—:]\s/.test(name) || wordsOf(name).some((word) => purposeWords.has(word));
  if (says) return null;
  return `“${name}” does not say what it is for. A good name is like “Google Drive - Support FAQ - read only”; Edit changes it any time.`;
}

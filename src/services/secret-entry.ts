/**
 * Credentials that are typed: API keys, passwords, the client of an OAuth provider. They come from a one-time page
 * bound to a Slack user, or from the operator's command line; either way through here.
 */
import type { ClientSession } from 'mongoose';
import { type Actor, type ConnectionDocument, SHARED } from '../../models/types.js';
import type { FormField, MintedAuth, SecretAuth } from '../connectors/framework.js';
import { OAUTH_FAMILIES } from '../credentials/oauth-providers.js';
import { AppError } from '../errors.js';
import type { AuditService } from './audit.js';
import type { AuthorizationFlow } from './authorization-flow.js';
import type { ConnectionService } from './connections.js';
import { type CredentialService, oauthAppId, type Secret } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf, configOf } from './functions.js';
import type { LinkService } from './links.js';
import type { MemberService } from './members.js';
import { type OAuthApps, redirectUriOf } from './oauth-apps.js';
import { activePerson, OneTimeRefusal, refusingPerson } from './one-time.js';
import type { OutboxService } from './outbox.js';
import type { ReadinessItem } from './readiness.js';
import type { RoleService } from './roles.js';
import { checkSecret, SecretInputError } from './secret-input.js';
import type { SignInService } from './sign-in.js';

/** What a secret is for. */
export type SecretTarget =
  | {
      readonly kind: 'connection';
      readonly title: string;
      readonly connection: ConnectionDocument;
      readonly method: SecretAuth | MintedAuth;
      readonly fields: readonly FormField[];
    }
  | {
      readonly kind: 'oauth_app';
      readonly title: string;
      /** Where it is kept: `oauth_app:google`, or `oauth_app:con_…` for a connection's own. */
      readonly id: string;
      /** To be registered at the provider. */
      readonly redirectUri: string;
      readonly fields: readonly FormField[];
    };

/** What the form behind a link shows. */
export interface SecretForm {
  readonly target: SecretTarget;
  /** Name of the Slack user the link was made for. */
  readonly person: string;
}

export interface SecretStored extends SecretForm {
  /** What is still to be done before the connection is ready. */
  readonly open: readonly ReadinessItem[];
}

export interface SecretEntryParts {
  readonly links: LinkService;
  readonly connections: ConnectionService;
  readonly credentials: CredentialService;
  readonly members: MemberService;
  readonly roles: RoleService;
  readonly outbox: OutboxService;
  readonly audit: AuditService;
  readonly apps: OAuthApps;
  readonly signIns: SignInService;
  readonly flow: AuthorizationFlow;
}

const OAUTH_APP = oauthAppId('');
const OAUTH_APP_FIELDS: readonly FormField[] = [
  { name: 'client_id', label: 'Client ID', kind: 'text' },
  { name: 'client_secret', label: 'Client secret', kind: 'secret' },
];
/** Of a server that a connection brings along: there are clients without a secret (RFC 6749, 2.1). */
const OWN_APP_FIELDS: readonly FormField[] = OAUTH_APP_FIELDS.map((field) =>
  field.kind === 'secret'
    ? { ...field, optional: true, hint: 'Left empty for a public client, which has none.' }
    : field,
);
const TENANT_FIELD: FormField = {
  name: 'tenant_id',
  label: 'Directory (tenant) ID',
  kind: 'text',
  optional: true,
  hint: 'Left empty, accounts of any organization may sign in.',
  placeholder: '00000000-0000-0000-0000-000000000000',
};

export class SecretEntryService {
  constructor(
    private readonly deps: Pick<
      Dependencies,
      'models' | 'workspaceId' | 'connector' | 'directory' | 'publicUrl' | 'log'
    >,
    private readonly parts: SecretEntryParts,
  ) {}

  /** What a link asks for; does not use it up. @throws OneTimeRefusal | DirectoryUnavailable */
  async describe(token: string): Promise<SecretForm> {
    const link = await this.parts.links.require(token, 'secret');
    const target = await this.target(link.connectionId ?? '');
    if (!target) throw new OneTimeRefusal('unknown', 'The connection of this link was removed.');
    const { name } = await activePerson(this.deps.directory, link.userId, 'decision');
    await this.authorise(link.userId, target);
    return { target, person: name };
  }

  /**
   * Stores what was typed and uses the link up, both or neither; a wrong input uses nothing up.
   * @throws SecretInputError | OneTimeRefusal | DirectoryUnavailable
   */
  async submit(
    token: string,
    given: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<SecretStored> {
    const { target, person } = await this.describe(token);
    const secret = checked(target, given);
    const { userId } = await this.parts.links.require(token, 'secret');
    const useLink = (session: ClientSession) => this.parts.links.use(token, 'secret', session);
    const actor = { kind: 'user', id: userId } as const;
    if (target.kind === 'connection' && isOwn(target.connection)) {
      const { connection, method } = target;
      const account = ownAccount(connection, method, secret) ?? secret.username ?? method.title;
      const credential = { ...stored(method, secret), account };
      await this.parts.members.authorize(target.connection, userId, credential, [], null, useLink);
    } else {
      await this.store(actor, target, secret, useLink);
    }
    return { target, person, open: await this.followUp(target, userId) };
  }

  /**
   * The operator's way in: by a connection's key or id, or `oauth_app:<provider>`. A connection that signs in with
   * OAuth takes the client of its provider.
   * @throws AppError `not_found` | `invalid_arguments`; SecretInputError
   */
  async enter(
    actor: Actor,
    keyOrId: string,
    given: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<SecretTarget> {
    const target = await this.target(keyOrId);
    if (!target) throw new AppError('not_found', `There is no connection “${keyOrId}”.`, { path: '/key' });
    if (target.kind === 'connection' && isOwn(target.connection)) {
      const message = `“${target.connection.key}” is private: each member enters her own credential.`;
      throw new AppError('invalid_arguments', message, { path: '/key' });
    }
    await this.store(actor, target, checked(target, given));
    if (target.kind === 'connection') {
      await this.lookUpAccount(target.connection);
      await this.parts.connections.refreshStatus(target.connection._id);
    }
    return target;
  }

  /** @throws AppError `invalid_arguments` when the connection needs no credential */
  private async target(keyOrId: string): Promise<SecretTarget | null> {
    if (keyOrId.startsWith(OAUTH_APP)) return this.oauthApp(keyOrId);
    const connection = await this.parts.connections.find(keyOrId);
    if (!connection) return null;
    const connector = await this.deps.connector(connection.connector);
    const method = authMethodOf(connector, connection);
    if (method?.kind === 'oauth') {
      const provider = this.parts.apps.provider(method, connection);
      return this.oauthApp(this.parts.apps.id(provider, connection));
    }
    if (method?.kind === 'secret' || method?.kind === 'minted') {
      return { kind: 'connection', title: connection.name, connection, method, fields: method.fields };
    }
    throw new AppError(
      'invalid_arguments',
      `“${connection.name}” signs in to nothing: it has no credential.`,
    );
  }

  private async oauthApp(id: string): Promise<SecretTarget | null> {
    const family = id.slice(OAUTH_APP.length);
    const own = family.startsWith('con_') ? await this.parts.connections.find(family) : null;
    const title = own?.name ?? OAUTH_FAMILIES.get(family);
    if (title === undefined) return null;
    return {
      kind: 'oauth_app',
      title: `OAuth client for ${title}`,
      id,
      redirectUri: redirectUriOf(this.deps.publicUrl),
      fields: own
        ? OWN_APP_FIELDS
        : family === 'microsoft'
          ? [...OAUTH_APP_FIELDS, TENANT_FIELD]
          : OAUTH_APP_FIELDS,
    };
  }

  /** Checked at every visit: the link may be ten minutes old, and the role gone. */
  private async authorise(userId: string, target: SecretTarget): Promise<void> {
    const { connections, roles } = this.parts;
    await refusingPerson(async () => {
      if (target.kind === 'oauth_app') await roles.require(userId, 'admin');
      else if (!isOwn(target.connection)) await connections.managed(userId, target.connection._id, true);
    });
  }

  private async store(
    actor: Actor,
    target: SecretTarget,
    fields: Secret,
    also?: (session: ClientSession) => Promise<unknown>,
  ): Promise<void> {
    const { models, workspaceId } = this.deps;
    const isConnection = target.kind === 'connection';
    const subject = isConnection
      ? { kind: 'connection', id: target.connection._id }
      : { kind: 'oauth_app', id: target.id.slice(OAUTH_APP.length) };
    const details = { fields: Object.keys(fields) };
    const entry = { actor, action: 'credential.stored', subject, details };
    await this.parts.audit.change(entry, async (session) => {
      await also?.(session);
      await this.parts.credentials.store(
        {
          ...(isConnection ? stored(target.method, fields) : { kind: 'oauth_app', fields }),
          connectionId: isConnection ? target.connection._id : target.id,
          subject: SHARED,
          createdBy: actor.id,
        },
        session,
      );
      if (!isConnection) return;
      const filter = { _id: target.connection._id, workspaceId };
      await models.connections.updateOne(filter, { $set: { health: 'unknown' } }, { session });
    });
  }

  private async lookUpAccount(connection: ConnectionDocument): Promise<void> {
    const credential = await this.parts.credentials.find(connection._id);
    if (credential) await this.parts.signIns.noteAccount(connection, credential);
  }

  /** The credential is stored; what comes after may fail without making that untrue. */
  private async followUp(target: SecretTarget, userId: string): Promise<readonly ReadinessItem[]> {
    const { connections, members, outbox, flow } = this.parts;
    try {
      const name = target.kind === 'connection' ? target.connection.key : target.title;
      await outbox.notify(userId, { kind: 'credential_stored', name });
      if (target.kind === 'oauth_app') return [];
      const { _id } = target.connection;
      if (isOwn(target.connection)) {
        await members.refreshDms(_id, userId);
        await flow.resume(userId, _id);
        return [];
      }
      await this.lookUpAccount(target.connection);
      const connection = await connections.refreshStatus(_id);
      const items = connection ? await connections.readiness(connection) : [];
      return items.filter((item) => !item.done);
    } catch (error) {
      this.deps.log.warn({ err: error }, 'credential stored; what follows from it was not done');
      return [];
    }
  }
}

/** @throws SecretInputError */
function checked(target: SecretTarget, given: Readonly<Record<string, string | readonly string[]>>): Secret {
  const secret = checkSecret(target.fields, given);
  const message =
    target.kind === 'connection' ? target.method.check?.(secret, configOf(target.connection)) : undefined;
  if (message === undefined) return secret;
  throw new SecretInputError([{ field: target.fields[0]?.name ?? '', message }]);
}

/** A minted token is fetched at the first call. */
function stored(method: SecretAuth | MintedAuth, fields: Secret) {
  return method.kind === 'minted'
    ? ({ kind: 'minted', fields, expiresAt: new Date(0) } as const)
    : ({ kind: 'secret', fields } as const);
}

function ownAccount(
  connection: ConnectionDocument,
  method: SecretAuth | MintedAuth,
  secret: Secret,
): string | undefined {
  return method.kind === 'minted' ? method.accountOf?.(secret, configOf(connection)) : undefined;
}

/** On a private connection the secret is the member's own. */
function isOwn(connection: ConnectionDocument): boolean {
  return connection.identity === 'private';
}

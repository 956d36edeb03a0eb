/** Connections, what they sign in with, and who may use them. */
import type { EnvelopeRecord } from '../../src/credentials/envelope.js';
import type { PolicyRule, Risk } from './policy.js';

export type Identity = 'shared' | 'private';

/** `shared`, or the id of the member whose own identity is used. */
export type Subject = string;

export const SHARED: Subject = 'shared';

export interface Access {
  callerId: string;
  /** Null for every enabled function. */
  functions: string[] | null;
}

export interface Pause {
  by: string;
  at: Date;
  reason: string;
  /** What becomes of the requests that wait for people; default `freeze`: their time stands still. */
  pending?: 'freeze' | 'cancel';
}

export interface ConnectionDocument {
  _id: string;
  workspaceId: string;
  key: string;
  connector: string;
  name: string;
  purpose: string;
  identity: Identity;
  ownerId: string;
  businessOwnerId: string | null;
  auth: string;
  config: Record<string, unknown>;
  enabledFunctions: string[];
  /** Functions whose risk an admin raised. */
  raisedRisks: Record<string, Risk>;
  /** Functions that an admin made ask every time, besides those that do so by themselves. */
  askEveryTime?: string[];
  policy: { version: number; rules: PolicyRule[] };
  access: Access[];
  visibility: { everyone: boolean; users: string[]; usergroups: string[] };
  status: 'draft' | 'ready' | 'removed';
  paused: Pause | null;
  scopesReviewedAt: Date | null;
  readTestedAt: Date | null;
  writeTestedAt: Date | null;
  health: 'unknown' | 'ok' | 'needs_reauth' | 'temporarily_failing';
  rev: number;
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
  lastUsedAt: Date | null;
}

export interface CredentialDocument {
  _id: string;
  workspaceId: string;
  connectionId: string;
  subject: Subject;
  /** `minted`: a secret, and beside it the short-lived token that was fetched with it. */
  kind: 'secret' | 'oauth' | 'minted' | 'oauth_app';
  /** Rises on reconnect and on rotation, never on a token refresh; bound by the digest of an approval. */
  generation: number;
  /** Rises with every write; a refresh is stored only over the version that it read. */
  version: number;
  fields: Record<string, EnvelopeRecord>;
  scopes: string[];
  /** Whose account it is at the outside system, e.g. `bot@corp.example`. */
  account: string | null;
  expiresAt: Date | null;
  status: 'active' | 'needs_reauth';
  refresh: { owner: string; until: Date } | null;
  /** The provider did not answer: how often in a row, and when it is asked again. */
  failing: { count: number; until: Date } | null;
  createdBy: string;
  createdAt: Date;
  rotatedAt: Date;
  /** When its tokens were last fetched. */
  renewedAt?: Date | null;
}

export interface AuthorizationDocument {
  _id: string;
  workspaceId: string;
  connectionId: string;
  memberId: string;
  account: string;
  scopes: string[];
  status: 'active' | 'revoked';
  createdAt: Date;
  updatedAt: Date;
}

export interface ConsentDocument {
  _id: string;
  workspaceId: string;
  memberId: string;
  callerId: string;
  connectionId: string;
  status: 'allowed' | 'refused' | 'revoked';
  /** Of the further approvers that she was told of; null or absent: of none. */
  furtherHash?: string | null;
  decidedAt: Date;
}

export interface CallerDocument {
  _id: string;
  workspaceId: string;
  name: string;
  /** Lower-case name, unique in the workspace. */
  nameKey: string;
  kind: 'agent' | 'workflow' | 'skill' | 'prompt';
  ownerId: string;
  stage: 'test' | 'production';
  tokenHash: string;
  tokenPrefix: string;
  status: 'active' | 'revoked';
  paused: Pause | null;
  createdBy: string;
  createdAt: Date;
}

/** What an admin has entered so far while a connection is added: its forms have several steps. */
export interface ConnectionDraftDocument {
  _id: string;
  workspaceId: string;
  userId: string;
  /** JSON, compressed and in base64: an imported API has megabytes of schemas. */
  content: string;
  expiresAt: Date;
}

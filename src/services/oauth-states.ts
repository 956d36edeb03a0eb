/**
 * Sign-ins under way, as stored: one document each, found by the hash of its `state`, tied to one browser by the hash
 * of a cookie. Every step is one compare-and-set; an ended flow holds no secret any more.
 */
import { timingSafeEqual } from 'node:crypto';
import type { OAuthStateDocument } from '../../models/types.js';
import { sha256Hex } from '../canonical.js';
import { open, seal } from '../credentials/envelope.js';
import type { TokenSet } from '../credentials/oauth-client.js';
import { newCode, newLinkToken } from '../ids.js';
import type { Dependencies } from './dependencies.js';

const LIFETIME_MS = 10 * 60_000;
/** Guesses at a six-digit code: 1 in 200 000 for whoever only guesses. */
export const CODE_TRIES = 5;

export interface FlowSecrets {
  readonly verifier: string;
  readonly tokens?: TokenSet;
  readonly code?: string;
}

export type NewFlow = Pick<OAuthStateDocument, 'userId' | 'connectionId' | 'subject' | 'provider'> & {
  readonly verifier: string;
};

export class OAuthStateStore {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'keys'>) {}

  /** `state` goes to the provider, `cookie` to the browser; only their hashes are kept. */
  async begin(flow: NewFlow): Promise<{ id: string; state: string; cookie: string }> {
    const { models, workspaceId, clock } = this.deps;
    const { verifier, ...owner } = flow;
    const state = newLinkToken();
    const cookie = newLinkToken();
    const id = sha256Hex(state);
    await models.oauthStates.create([
      {
        ...owner,
        _id: id,
        workspaceId,
        status: 'started',
        cookieHash: sha256Hex(cookie),
        sealed: this.seal(id, { verifier }),
        account: null,
        scopes: [],
        codeHash: null,
        attempts: 0,
        expiresAt: new Date(clock.now().getTime() + LIFETIME_MS),
      },
    ]);
    return { id, state, cookie };
  }

  async find(id: string): Promise<OAuthStateDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.oauthStates.findOne({ _id: id, workspaceId }).lean();
  }

  async findByState(state: string): Promise<OAuthStateDocument | null> {
    return this.find(sha256Hex(state));
  }

  /** Single use: one arrival wins, and the state cannot be tried again. */
  async takeState(state: string): Promise<OAuthStateDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.oauthStates
      .findOneAndUpdate(
        { _id: sha256Hex(state), workspaceId, status: 'started', $expr: { $gt: ['$expiresAt', '$$NOW'] } },
        { $set: { status: 'returned' } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** What the provider gave, until the code proves whom it was for. The verifier has done its work. */
  async keep(
    flow: OAuthStateDocument,
    granted: { account: string; scopes: readonly string[]; tokens: TokenSet },
  ): Promise<OAuthStateDocument | null> {
    const { models, workspaceId } = this.deps;
    const code = newCode();
    const { account, scopes, tokens } = granted;
    const sealed = this.seal(flow._id, { verifier: '', tokens, code });
    return models.oauthStates
      .findOneAndUpdate(
        { _id: flow._id, workspaceId, status: 'returned', codeHash: null },
        { $set: { account, scopes: [...scopes], codeHash: sha256Hex(code), sealed } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** Counts one try of this browser, before the code is looked at. Null when there is none left to take. */
  async takeTry(id: string, cookie: string | undefined): Promise<OAuthStateDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.oauthStates
      .findOneAndUpdate(
        {
          _id: id,
          workspaceId,
          status: 'returned',
          codeHash: { $ne: null },
          cookieHash: sha256Hex(cookie ?? ''),
          attempts: { $lt: CODE_TRIES },
          $expr: { $gt: ['$expiresAt', '$$NOW'] },
        },
        { $inc: { attempts: 1 } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** Ends it, and its secrets with it. False when somebody else was first. */
  async end(flow: OAuthStateDocument, as: 'finished' | 'refused'): Promise<boolean> {
    const { models, workspaceId } = this.deps;
    const done = await models.oauthStates.updateOne(
      { _id: flow._id, workspaceId, status: flow.status },
      { $set: { status: as, sealed: this.seal(flow._id, { verifier: '' }) } },
    );
    return done.modifiedCount === 1;
  }

  isOver(flow: OAuthStateDocument): boolean {
    return flow.expiresAt <= this.deps.clock.now();
  }

  /** @throws EnvelopeError */
  secretsOf(flow: OAuthStateDocument): FlowSecrets {
    const text = open(this.deps.keys, flow.sealed, this.context(flow._id)).toString('utf8');
    return JSON.parse(text) as FlowSecrets;
  }

  private seal(id: string, content: FlowSecrets) {
    return seal(this.deps.keys, JSON.stringify(content), this.context(id));
  }

  private context(id: string) {
    return {
      workspaceId: this.deps.workspaceId,
      connectionId: id,
      subject: 'oauth_state',
      generation: 0,
      field: 'flow',
    };
  }
}

/** Whether the browser or person holds the secret whose hash we kept. */
export function matchesHash(given: string | undefined, expectedHash: string): boolean {
  const hash = Buffer.from(sha256Hex(given ?? ''));
  const expected = Buffer.from(expectedHash);
  return hash.length === expected.length && timingSafeEqual(hash, expected);
}

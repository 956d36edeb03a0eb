/** One-time links: bound to a Slack user, ten minutes, used once. Only a hash of the token in them is stored. */
import type { ClientSession } from 'mongoose';
import type { OneTimeLinkDocument } from '../../models/types.js';
import { sha256Hex } from '../canonical.js';
import { open, seal } from '../credentials/envelope.js';
import { newLinkToken } from '../ids.js';
import type { Dependencies } from './dependencies.js';
import { OneTimeRefusal } from './one-time.js';

/** PRODUCT.md, "Defaults". */
export const LINK_LIFETIME_MS = 10 * 60_000;

export type LinkState = 'open' | 'used' | 'expired' | 'unknown';

export interface NewLink {
  readonly purpose: OneTimeLinkDocument['purpose'];
  readonly userId: string;
  readonly connectionId?: string;
  readonly callerId?: string;
  /** Shown once by the page behind the link, e.g. a caller's token. */
  readonly content?: string;
}

const PATHS = {
  secret: '/secrets/',
  caller_token: '/secrets/token/',
  oauth: '/oauth/start/',
  second_factor: '/second-factor/',
  step_up: '/step-up/',
} as const;

export class LinkService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'keys' | 'publicUrl'>,
  ) {}

  /** The URL to hand to that user, in a DM or a view of hers. */
  async create(link: NewLink & { readonly purpose: keyof typeof PATHS }): Promise<string> {
    return `${this.deps.publicUrl}${PATHS[link.purpose]}${await this.issue(link)}`;
  }

  /** The token of a link that nobody is handed, such as what comes back from a sign-in. */
  async issue(link: NewLink): Promise<string> {
    const { models, workspaceId, clock, keys } = this.deps;
    const token = newLinkToken();
    const _id = sha256Hex(token);
    await models.oneTimeLinks.create([
      {
        _id,
        workspaceId,
        purpose: link.purpose,
        userId: link.userId,
        connectionId: link.connectionId ?? null,
        callerId: link.callerId ?? null,
        sealed: link.content === undefined ? null : seal(keys, link.content, this.context(_id)),
        usedAt: null,
        expiresAt: new Date(clock.now().getTime() + LINK_LIFETIME_MS),
      },
    ]);
    return token;
  }

  /** What is behind a link, without using it up. */
  async look(
    token: string,
    purpose: OneTimeLinkDocument['purpose'],
  ): Promise<{ state: LinkState; link: OneTimeLinkDocument | null }> {
    const { models, workspaceId, clock } = this.deps;
    const link = await models.oneTimeLinks.findOne({ _id: sha256Hex(token), workspaceId, purpose }).lean();
    if (!link) return { state: 'unknown', link: null };
    if (link.usedAt) return { state: 'used', link };
    return link.expiresAt <= clock.now() ? { state: 'expired', link } : { state: 'open', link };
  }

  /** What is behind a link that still works. @throws OneTimeRefusal `unknown` | `used` | `expired` */
  async require(token: string, purpose: OneTimeLinkDocument['purpose']): Promise<OneTimeLinkDocument> {
    const { state, link } = await this.look(token, purpose);
    if (state === 'open' && link) return link;
    throw new OneTimeRefusal(state === 'open' ? 'unknown' : state);
  }

  /**
   * Uses the link up: one visitor wins. In a session, it is used up only if what the session does is stored.
   * @throws OneTimeRefusal `unknown` | `used` | `expired`
   */
  async use(
    token: string,
    purpose: OneTimeLinkDocument['purpose'],
    session?: ClientSession,
  ): Promise<OneTimeLinkDocument> {
    const { models, workspaceId, clock } = this.deps;
    const used = await models.oneTimeLinks
      .findOneAndUpdate(
        {
          _id: sha256Hex(token),
          workspaceId,
          purpose,
          usedAt: null,
          $expr: { $gt: ['$expiresAt', '$$NOW'] },
        },
        // What was put into the link leaves the database with its use; the answer is the link before it.
        { $set: { usedAt: clock.now(), sealed: null } },
        { returnDocument: 'before', ...(session ? { session } : {}) },
      )
      .lean();
    if (used) return used;
    const { state } = await this.look(token, purpose);
    throw new OneTimeRefusal(state === 'open' ? 'used' : state);
  }

  /** What was put into the link. @throws EnvelopeError */
  contentOf(link: OneTimeLinkDocument): string | null {
    return link.sealed ? open(this.deps.keys, link.sealed, this.context(link._id)).toString('utf8') : null;
  }

  private context(id: string) {
    return {
      workspaceId: this.deps.workspaceId,
      connectionId: id,
      subject: 'link',
      generation: 0,
      field: 'content',
    };
  }
}

/**
 * A person's second proof: six digits of an authenticator app (TOTP, RFC 6238: SHA-1, 30 seconds), for approvals whose
 * rule asks for one on top of the click. The secret is sealed; a code works once; guesses are limited. No code and no
 * secret is logged or audited.
 */
import { timingSafeEqual } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Actor, OneTimeLinkDocument, SecondFactorDocument } from '../../models/types.js';
import { open, seal } from '../credentials/envelope.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { AuditService } from './audit.js';
import type { Dependencies } from './dependencies.js';
import type { LinkService } from './links.js';
import { activePerson, OneTimeRefusal } from './one-time.js';
import type { OutboxService } from './outbox.js';
import type { RoleService } from './roles.js';

const ISSUER = 'Siesta Connections';
const PERIOD_S = 30;
/** One step to either side, for clocks that differ (RFC 6238, 5.2). */
const WINDOW = 1;
/** 160 bits, as RFC 4226 recommends. */
const SECRET_BYTES = 20;
/** Tries per person. With three valid codes at a time, five guesses hit once in 66,666 rounds of ten minutes. */
export const MOST_TRIES = 5;
export const TRIES_WINDOW_MS = 10 * 60_000;

/** `throttled`: the tries are used up. `used`: right, but of a time step that is over or was used already. */
export type ProofResult = 'ok' | 'none' | 'wrong' | 'used' | 'throttled';

/** What a person is told; `ok` has nothing to say. */
export const PROOF_PROBLEMS: Readonly<Record<Exclude<ProofResult, 'ok'>, string>> = {
  none: 'You have no second proof yet. Set one up in App Home: “Set up a second proof”.',
  wrong: 'That code is not right. Enter the six digits that your authenticator app shows now.',
  used: 'That code was used already. Wait until your authenticator app shows the next one.',
  throttled: 'Five tries in ten minutes are over. Wait ten minutes, then try again.',
};

/** What the page behind a link shows. */
export interface EnrolmentPage {
  /** Name of the Slack user the link was made for. */
  readonly person: string;
  /** For the QR code: `otpauth://totp/…`. */
  readonly uri: string;
  /** Base32, for typing it in. */
  readonly secret: string;
}

interface Enrolment {
  readonly secret: string;
  /** The one that this takes the place of; null for the first. */
  readonly replaces: string | null;
}

/** The step whose code this is, of those that count now; null when it is none. All are compared, in constant time. */
export function stepOf(secret: string, code: string, now: Date): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const given = Buffer.from(code);
  const current = TOTP.counter({ period: PERIOD_S, timestamp: now.getTime() });
  let found: number | null = null;
  for (let step = current - WINDOW; step <= current + WINDOW; step += 1) {
    const right = TOTP.generate({
      secret: Secret.fromBase32(secret),
      period: PERIOD_S,
      timestamp: step * PERIOD_S * 1_000,
    });
    if (timingSafeEqual(given, Buffer.from(right))) found = step;
  }
  return found;
}

export class SecondFactorService {
  constructor(
    private readonly deps: Pick<
      Dependencies,
      'models' | 'clock' | 'workspaceId' | 'keys' | 'directory' | 'log'
    >,
    private readonly links: LinkService,
    private readonly roles: RoleService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
  ) {}

  /** Since when this person has one; null when she has none. */
  async enrolledSince(memberId: string): Promise<Date | null> {
    return (await this.find(memberId))?.confirmedAt ?? null;
  }

  /**
   * Uses a code up. Every try is counted before the code is looked at, so that no number of processes gives a guesser
   * more; a right one clears the count.
   */
  async prove(memberId: string, code: string): Promise<ProofResult> {
    const { models, workspaceId, clock, keys } = this.deps;
    const factor = await this.find(memberId);
    if (!factor) return 'none';
    const now = clock.now();
    const counted = await models.secondFactors.updateOne(
      {
        _id: factor._id,
        workspaceId,
        $or: [
          { [`tries.${MOST_TRIES - 1}`]: { $exists: false } },
          { 'tries.0': { $lte: new Date(now.getTime() - TRIES_WINDOW_MS) } },
        ],
      },
      { $push: { tries: { $each: [now], $slice: -MOST_TRIES } } },
    );
    if (counted.modifiedCount === 0) return 'throttled';
    const secret = open(keys, factor.secret, this.context(memberId)).toString('utf8');
    const step = stepOf(secret, code.replace(/\s/g, ''), now);
    if (step === null) return 'wrong';
    const used = await models.secondFactors.updateOne(
      { _id: factor._id, workspaceId, lastStep: { $lt: step } },
      { $set: { lastStep: step, tries: [] } },
    );
    return used.modifiedCount === 1 ? 'ok' : 'used';
  }

  /**
   * A one-time link to the page where a new one is set up. Whoever has one proves it first: a click alone must not
   * replace what is there to protect against a click alone.
   * @param code of the present one; null when she has none
   * @throws AppError `forbidden` with path `/code`
   */
  async begin(memberId: string, code: string | null): Promise<string> {
    const present = await this.find(memberId);
    if (present) await this.requireProof(memberId, code ?? '');
    const secret = new Secret({ size: SECRET_BYTES }).base32;
    const content: Enrolment = { secret, replaces: present?._id ?? null };
    return this.links.create({
      purpose: 'second_factor',
      userId: memberId,
      content: JSON.stringify(content),
    });
  }

  /** What the link is for, without using it up or showing the secret. @throws OneTimeRefusal | DirectoryUnavailable */
  async describe(token: string): Promise<{ readonly person: string }> {
    return { person: (await this.enrolment(token)).person };
  }

  /** The secret, for the page that shows it. @throws OneTimeRefusal | DirectoryUnavailable */
  async show(token: string): Promise<EnrolmentPage> {
    const { person, secret, label } = await this.enrolment(token);
    const totp = new TOTP({ issuer: ISSUER, label, secret: Secret.fromBase32(secret), period: PERIOD_S });
    return { person, secret, uri: totp.toString() };
  }

  /**
   * The first code: from now on the new one counts, and the link is used up, both or neither.
   * @throws AppError `invalid_arguments` for a code that is not right (the link stays); OneTimeRefusal
   */
  async confirm(token: string, code: string): Promise<{ readonly person: string }> {
    const { link, person, secret, replaces } = await this.enrolment(token);
    const { models, workspaceId, clock, keys } = this.deps;
    const now = clock.now();
    const step = stepOf(secret, code.replace(/\s/g, ''), now);
    if (step === null) throw new AppError('invalid_arguments', PROOF_PROBLEMS.wrong, { path: '/code' });
    const memberId = link.userId;
    const factor: SecondFactorDocument = {
      _id: newId('sf'),
      workspaceId,
      memberId,
      secret: seal(keys, secret, this.context(memberId)),
      confirmedAt: now,
      lastStep: step,
      tries: [],
      createdAt: now,
    };
    const action = replaces === null ? 'second_factor.set_up' : 'second_factor.replaced';
    try {
      await this.audit.change(
        this.entry({ kind: 'user', id: memberId }, action, memberId),
        async (session) => {
          await this.links.use(token, 'second_factor', session);
          if (replaces !== null) {
            const filter = { _id: replaces, workspaceId, memberId };
            const { deletedCount } = await models.secondFactors.deleteOne(filter, { session });
            if (deletedCount === 0) throw new OneTimeRefusal('used', CHANGED_MEANWHILE);
          }
          await models.secondFactors.create([factor], { session });
        },
      );
    } catch (error) {
      if (isDuplicateKey(error)) throw new OneTimeRefusal('used', CHANGED_MEANWHILE);
      throw error;
    }
    await this.tell(memberId, SET_UP);
    return { person };
  }

  /** @throws AppError `forbidden` with path `/code` */
  async remove(memberId: string, code: string): Promise<void> {
    await this.requireProof(memberId, code);
    await this.drop({ kind: 'user', id: memberId }, memberId, 'second_factor.removed');
    await this.tell(memberId, REMOVED);
  }

  /**
   * Somebody lost her phone. Nobody resets her own: that would be the way around it.
   * @throws AppError `forbidden` | `not_found`
   */
  async reset(adminId: string, memberId: string, reason: string): Promise<void> {
    await this.roles.require(adminId, 'admin');
    if (adminId === memberId) {
      const message =
        'Nobody resets her own second proof. Another admin can, or the operator: npm run admin -- second-proof:reset';
      throw new AppError('forbidden', message, { path: '/member' });
    }
    await this.resetBy({ kind: 'user', id: adminId }, memberId, reason);
  }

  /** The operator's way in, or after `reset` has checked who asks. @throws AppError `not_found` */
  async resetBy(actor: Actor, memberId: string, reason: string): Promise<void> {
    if (!(await this.drop(actor, memberId, 'second_factor.reset', { reason }))) {
      throw new AppError('not_found', 'This person has no second proof.', { path: '/member' });
    }
    await this.tell(memberId, actor.kind === 'user' ? resetBy(`<@${actor.id}>`) : resetBy('The operator'));
  }

  private async requireProof(memberId: string, code: string): Promise<void> {
    const result = await this.prove(memberId, code);
    if (result === 'ok') return;
    await this.audit.record(
      this.entry({ kind: 'user', id: memberId }, 'second_factor.refused', memberId, { why: result }),
    );
    throw new AppError('forbidden', PROOF_PROBLEMS[result], { path: '/code', refusal: 'recorded' });
  }

  private async drop(
    actor: Actor,
    memberId: string,
    action: string,
    details: Record<string, unknown> = {},
  ): Promise<boolean> {
    const { models, workspaceId } = this.deps;
    if (!(await this.find(memberId))) return false;
    return this.audit.change(this.entry(actor, action, memberId, details), async (session) => {
      const { deletedCount } = await models.secondFactors.deleteOne({ workspaceId, memberId }, { session });
      return deletedCount === 1;
    });
  }

  private async enrolment(
    token: string,
  ): Promise<Enrolment & { link: OneTimeLinkDocument; person: string; label: string }> {
    const link = await this.links.require(token, 'second_factor');
    const { name, email } = await activePerson(this.deps.directory, link.userId, 'decision');
    const content = this.links.contentOf(link);
    if (content === null) throw new OneTimeRefusal('used');
    return { ...(JSON.parse(content) as Enrolment), link, person: name, label: email ?? name };
  }

  private async find(memberId: string): Promise<SecondFactorDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.secondFactors.findOne({ workspaceId, memberId, confirmedAt: { $ne: null } }).lean();
  }

  /** What came of it stands already; that she is told may be late. */
  private async tell(memberId: string, text: string): Promise<void> {
    await this.outbox.notify(memberId, { kind: 'sentence', text }).catch((error: unknown) => {
      this.deps.log.warn({ err: error }, 'the change of a second proof was not told');
    });
  }

  private entry(actor: Actor, action: string, memberId: string, details: Record<string, unknown> = {}) {
    return { actor, action, subject: { kind: 'member', id: memberId }, details };
  }

  private context(memberId: string) {
    const { workspaceId } = this.deps;
    return { workspaceId, connectionId: 'second_factor', subject: memberId, generation: 0, field: 'totp' };
  }
}

const CHANGED_MEANWHILE = 'Your second proof was changed meanwhile. Start again in App Home.';
const NOT_YOU = 'If that was not you, tell an admin at once.';
const SET_UP = `:lock: Your second proof is set up: approvals that ask for it want the six digits of your authenticator app. ${NOT_YOU}`;
const REMOVED = `:unlock: Your second proof is removed. ${NOT_YOU}`;
const resetBy = (who: string): string =>
  `:unlock: ${who} reset your second proof. Set up a new one in App Home. If you did not ask for that, tell an admin at once.`;

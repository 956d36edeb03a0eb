/** Callers: agents, workflows, skills and prompts, and their tokens. */
import type { Actor, CallerDocument, Pause } from '../../models/types.js';
import { hashCallerToken, isCallerToken, newCallerToken } from '../credentials/caller-token.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { AuditService } from './audit.js';
import type { Dependencies } from './dependencies.js';

export const CALLER_KINDS = ['agent', 'workflow', 'skill', 'prompt'] as const;
export const CALLER_STAGES = ['test', 'production'] as const;
const NAME_LIMIT = 60;

export interface NewCaller {
  readonly name: string;
  readonly kind: CallerDocument['kind'];
  readonly ownerId: string;
  readonly stage: CallerDocument['stage'];
}

export class CallerService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>,
    private readonly audit: AuditService,
  ) {}

  /** Registers a caller. The token is in the answer and nowhere else; only its hash is stored. */
  async create(actor: Actor, input: NewCaller): Promise<{ caller: CallerDocument; token: string }> {
    const name = input.name.trim();
    if (name === '' || [...name].length > NAME_LIMIT) {
      throw new AppError('invalid_arguments', `A caller needs a name of 1 to ${NAME_LIMIT} characters.`, {
        path: '/name',
      });
    }
    const { models, workspaceId, clock } = this.deps;
    const { token, hash, prefix } = newCallerToken();
    const caller: CallerDocument = {
      _id: newId('cal'),
      workspaceId,
      name,
      nameKey: name.toLowerCase(),
      kind: input.kind,
      ownerId: input.ownerId,
      stage: input.stage,
      tokenHash: hash,
      tokenPrefix: prefix,
      status: 'active',
      paused: null,
      createdBy: actor.id,
      createdAt: clock.now(),
    };
    const entry = {
      actor,
      action: 'caller.created',
      subject: { kind: 'caller', id: caller._id },
      details: { name, kind: input.kind, ownerId: input.ownerId, stage: input.stage },
    };
    try {
      await this.audit.change(entry, (session) => models.callers.create([caller], { session }));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw new AppError(
        'invalid_arguments',
        `There is a caller called “${name}” already. Choose another name.`,
        {
          path: '/name',
          cause: error,
        },
      );
    }
    return { caller, token };
  }

  /** A new token in place of the old, which stops working at once. */
  async rotateToken(actor: Actor, callerId: string): Promise<string> {
    const { models, workspaceId } = this.deps;
    const { token, hash, prefix } = newCallerToken();
    const entry = { actor, action: 'caller.token_rotated', subject: { kind: 'caller', id: callerId } };
    await this.audit.change(entry, async (session) => {
      const filter = { _id: callerId, workspaceId, status: 'active' as const };
      const done = await models.callers.updateOne(
        filter,
        { $set: { tokenHash: hash, tokenPrefix: prefix } },
        { session },
      );
      if (done.matchedCount !== 1) throw new AppError('not_found', 'There is no such caller.');
    });
    return token;
  }

  async revoke(actor: Actor, callerId: string): Promise<void> {
    await this.set(actor, callerId, 'caller.revoked', { status: 'revoked' });
  }

  async pause(actor: Actor, callerId: string, pause: Pause | null): Promise<void> {
    await this.set(
      actor,
      callerId,
      pause ? 'caller.paused' : 'caller.resumed',
      { paused: pause },
      pause?.reason,
    );
  }

  async list(): Promise<CallerDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.callers.find({ workspaceId, status: 'active' }).sort({ nameKey: 1 }).limit(500).lean();
  }

  async get(id: string): Promise<CallerDocument | null> {
    return this.deps.models.callers.findOne({ _id: id, workspaceId: this.deps.workspaceId }).lean();
  }

  async byName(name: string): Promise<CallerDocument | null> {
    const { models, workspaceId } = this.deps;
    const filter = { workspaceId, nameKey: name.trim().toLowerCase(), status: 'active' as const };
    return models.callers.findOne(filter).lean();
  }

  /** @throws AppError `unauthenticated`: the same words whatever was wrong with the token. */
  async authenticate(authorization: string | undefined): Promise<CallerDocument> {
    const token = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization ?? '')?.[1] ?? '';
    const { models, workspaceId } = this.deps;
    const caller = isCallerToken(token)
      ? await models.callers.findOne({ tokenHash: hashCallerToken(token), workspaceId }).lean()
      : null;
    if (caller?.status !== 'active') {
      throw new AppError('unauthenticated', 'The bearer token is missing, malformed or no longer valid.');
    }
    return caller;
  }

  private async set(
    actor: Actor,
    callerId: string,
    action: string,
    change: Partial<Pick<CallerDocument, 'status' | 'paused'>>,
    reason?: string,
  ): Promise<void> {
    const { models, workspaceId } = this.deps;
    const entry = {
      actor,
      action,
      subject: { kind: 'caller', id: callerId },
      details: reason ? { reason } : {},
    };
    await this.audit.change(entry, async (session) => {
      const done = await models.callers.updateOne(
        { _id: callerId, workspaceId },
        { $set: change },
        { session },
      );
      if (done.matchedCount !== 1) throw new AppError('not_found', 'There is no such caller.');
    });
  }
}

/**
 * The outbox: every card, DM and update is a row here, delivered at least once and in order (G11). A row does not
 * carry what to show but what it is about; who delivers it draws the state of that moment. So an update can be
 * late but never out of order, and a repair is the same as a delivery.
 */
import type { ClientSession } from 'mongoose';
import type { ExecutionDocument, Notice, OutboxDocument } from '../../models/types.js';
import { isDuplicateKey, upserting } from '../database/duplicate-key.js';
import { newId } from '../ids.js';
import type { Dependencies } from './dependencies.js';
import { HOME_EVERY_MS, homeRowId, homesChanged, isPerson, requestsChanged } from './home-rows.js';

/** How long a delivery may take before another process takes the row over. */
export const DELIVERY_LEASE_MS = 20_000;

export class OutboxService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'signals' | 'processId'>,
  ) {}

  /** One more copy of a view at one place. Asking again for the same copy changes nothing. */
  async show(
    view: OutboxDocument['view'],
    subjectId: string,
    to: string,
    deadline: Date | null,
  ): Promise<void> {
    const { models, workspaceId, clock, signals } = this.deps;
    const now = clock.now();
    if (view === 'approval' && isPerson(to)) await homesChanged(this.deps, [to]);
    await upserting(() =>
      models.outbox.updateOne(
        { _id: `${view}:${subjectId}:${to}`, workspaceId },
        { $setOnInsert: { ...this.empty(now), to, view, subjectId, deadline } },
        { upsert: true },
      ),
    );
    signals.emit('outbox');
  }

  /**
   * A view is to be posted anew at the end of the conversation, because it asks for something again.
   * @param everyMs not when it was within that time; the row itself keeps when, so that no crash comes in between
   */
  async showAgain(view: OutboxDocument['view'], subjectId: string, to: string, everyMs = 0): Promise<void> {
    const { models, workspaceId, clock, signals } = this.deps;
    const now = clock.now();
    const { wanted: _, notBefore: __, ts: ___, failed: ____, ...rest } = this.empty(now);
    const longAgo = { $or: [{ askedAt: null }, { askedAt: { $lte: new Date(now.getTime() - everyMs) } }] };
    try {
      await upserting(() =>
        models.outbox.updateOne(
          { _id: `${view}:${subjectId}:${to}`, workspaceId, ...(everyMs > 0 ? longAgo : {}) },
          {
            $set: { ts: null, notBefore: now, failed: null, askedAt: now },
            $inc: { wanted: 1 },
            $setOnInsert: { ...rest, to, view, subjectId, deadline: null },
          },
          { upsert: true },
        ),
      );
    } catch (error) {
      // The row is there and too young for another.
      if (!isDuplicateKey(error)) throw error;
      return;
    }
    signals.emit('outbox');
  }

  /** The subject (or each of several) changed: every copy is to be drawn again. */
  async refresh(view: OutboxDocument['view'], subjectId: string | readonly string[]): Promise<void> {
    const { models, workspaceId, clock, signals } = this.deps;
    // First, because a card that stays behind is repaired, and this repeated with it.
    if (view === 'approval')
      await requestsChanged(this.deps, typeof subjectId === 'string' ? [subjectId] : subjectId);
    await models.outbox.updateMany(
      { workspaceId, subjectId: typeof subjectId === 'string' ? subjectId : { $in: [...subjectId] }, view },
      { $inc: { wanted: 1 }, $set: { notBefore: clock.now() } },
    );
    signals.emit('outbox');
  }

  /**
   * She has her Home before her: from now on it is kept up to date, and whoever asks draws it as it is now. Null when it
   * is being drawn already, perhaps from before what she has just done: then the outbox draws it once more, right after
   * that. Two at once could reach Slack in the wrong order, and the older one would stay.
   */
  async claimHome(userId: string): Promise<OutboxDocument | null> {
    const { models, workspaceId, clock, signals } = this.deps;
    const now = clock.now();
    const _id = homeRowId(userId);
    const { failed: _, lease: __, notBefore: ___, ...rest } = this.empty(now);
    try {
      return await models.outbox
        .findOneAndUpdate(
          { _id, workspaceId, $or: [{ lease: null }, { 'lease.until': { $lte: now } }] },
          {
            // Due, should we die before it is shown.
            $set: { failed: null, lease: this.lease(now), notBefore: now },
            $setOnInsert: { ...rest, to: userId, view: 'home', subjectId: userId, deadline: null },
          },
          { upsert: true, returnDocument: 'after' },
        )
        .lean();
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      await models.outbox.updateOne({ _id, workspaceId }, { $inc: { wanted: 1 }, $set: { notBefore: now } });
      signals.emit('outbox');
      return null;
    }
  }

  /** What changed while it was drawn is shown now. */
  async homeShown(row: OutboxDocument): Promise<void> {
    await this.delivered(row, 0);
    this.deps.signals.emit('outbox');
  }

  /** It could not be shown to her just now. */
  async homeMissed(row: OutboxDocument): Promise<void> {
    await this.postpone(row, new Date(this.deps.clock.now().getTime() + HOME_EVERY_MS), true);
  }

  /** Whoever sees a card of it sees how it ended. Null, or without a card: nothing. */
  async showEnd(execution: Pick<ExecutionDocument, '_id' | 'approvalId'> | null): Promise<void> {
    if (execution?.approvalId) await this.refresh('approval', execution._id);
  }

  /** A message that never changes. */
  async notify(to: string, message: Notice, session?: ClientSession): Promise<void> {
    const { models, signals, clock } = this.deps;
    const id = newId('note');
    await models.outbox.create(
      [
        {
          ...this.empty(clock.now()),
          _id: id,
          workspaceId: this.deps.workspaceId,
          to,
          view: 'notice',
          subjectId: id,
          deadline: null,
          message,
        },
      ],
      session ? { session } : {},
    );
    signals.emit('outbox');
  }

  /** A copy that we posted but, having died in between, do not know of: it is kept up to date from now on. */
  async adopt(view: OutboxDocument['view'], subjectId: string, channel: string, ts: string): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const known = await models.outbox.countDocuments({ workspaceId, subjectId, channel, ts }).limit(1);
    if (known > 0) return;
    const copy = { ...this.empty(clock.now()), to: channel, view, subjectId, deadline: null, channel, ts };
    await upserting(() =>
      models.outbox.updateOne(
        { _id: `${view}:${subjectId}:${channel}:${ts}`, workspaceId },
        { $setOnInsert: copy },
        { upsert: true },
      ),
    );
  }

  /** Has any copy reached anybody? */
  async wasShown(view: OutboxDocument['view'], subjectId: string): Promise<boolean> {
    const { models, workspaceId } = this.deps;
    return (
      (await models.outbox.countDocuments({ workspaceId, subjectId, view, shown: { $gt: 0 } }).limit(1)) > 0
    );
  }

  /**
   * Takes the next row that is due. Null when there is none.
   * @param busy where nothing can be posted right now; what changes there can still be brought up to date
   */
  async claim(busy: readonly string[] = []): Promise<OutboxDocument | null> {
    const { models, workspaceId, clock } = this.deps;
    const now = clock.now();
    return models.outbox
      .findOneAndUpdate(
        {
          workspaceId,
          notBefore: { $lte: now },
          failed: null,
          $nor: [{ to: { $in: [...busy] }, ts: null, view: { $ne: 'home' } }],
          $or: [{ lease: null }, { 'lease.until': { $lte: now } }],
        },
        { $set: { lease: this.lease(now) } },
        { sort: { notBefore: 1 }, returnDocument: 'after' },
      )
      .lean();
  }

  /** Where a message now is. Stored at once, so that a crash afterwards updates it rather than posting another. */
  async posted(row: OutboxDocument, channel: string, ts: string): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.outbox.updateOne({ _id: row._id, workspaceId }, { $set: { channel, ts } });
  }

  /** The row shows what was wanted when it was claimed; it stays due if more was wanted meanwhile. */
  async delivered(row: OutboxDocument, drawn: number): Promise<void> {
    const { models, workspaceId, processId } = this.deps;
    await models.outbox.updateOne(
      { _id: row._id, workspaceId, 'lease.owner': processId },
      [
        {
          $set: {
            shown: row.wanted,
            drawn,
            attempts: 0,
            lease: null,
            notBefore: { $cond: [{ $gt: ['$wanted', row.wanted] }, '$notBefore', null] },
          },
        },
      ],
      { updatePipeline: true },
    );
  }

  async postpone(row: OutboxDocument, until: Date, countAttempt: boolean): Promise<void> {
    const { models, workspaceId, processId } = this.deps;
    await models.outbox.updateOne(
      { _id: row._id, workspaceId, 'lease.owner': processId },
      { $set: { lease: null, notBefore: until }, ...(countAttempt ? { $inc: { attempts: 1 } } : {}) },
    );
  }

  /** Slack refuses this message for good, or nobody needs it any more. */
  async giveUp(row: OutboxDocument, reason: string): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.outbox.updateOne(
      { _id: row._id, workspaceId },
      { $set: { lease: null, notBefore: null, failed: reason } },
    );
  }

  /** A message was deleted under us: the next delivery posts it anew. */
  async forgetMessage(row: OutboxDocument): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.outbox.updateOne({ _id: row._id, workspaceId }, { $set: { ts: null } });
  }

  /**
   * Takes a turn: at most one holder until the given moment. Used for one message per second and channel.
   * Null when the turn is ours, otherwise when to try again.
   */
  async takeTurn(key: string, milliseconds: number): Promise<Date | null> {
    return this.holdTurn(key, new Date(this.deps.clock.now().getTime() + milliseconds));
  }

  /** As `takeTurn`, for what lasts until it is over (`endTurn`): the moment given is for a holder that died meanwhile. */
  async holdTurn(key: string, until: Date): Promise<Date | null> {
    const { models, workspaceId, clock } = this.deps;
    const now = clock.now();
    const _id = `${workspaceId}:${key}`;
    try {
      await models.throttles.updateOne(
        { _id, workspaceId, until: { $lte: now } },
        { $set: { until } },
        { upsert: true },
      );
      return null;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const holder = await models.throttles.findOne({ _id, workspaceId }).lean();
      return holder?.until ?? now;
    }
  }

  /** The turn that was held until then is the next one's from the given moment on. */
  async endTurn(key: string, held: Date, next: Date): Promise<void> {
    const { models, workspaceId } = this.deps;
    const _id = `${workspaceId}:${key}`;
    await models.throttles.updateOne({ _id, workspaceId, until: held }, { $set: { until: next } });
  }

  /** Slack said Retry-After: nobody sends to that method before. */
  async block(key: string, until: Date): Promise<void> {
    const { models, workspaceId } = this.deps;
    const _id = `${workspaceId}:${key}`;
    await upserting(() =>
      models.throttles.updateOne({ _id, workspaceId }, { $max: { until } }, { upsert: true }),
    );
  }

  async blockedUntil(key: string): Promise<Date | null> {
    const { models, workspaceId, clock } = this.deps;
    const found = await models.throttles.findOne({ _id: `${workspaceId}:${key}`, workspaceId }).lean();
    return found && found.until > clock.now() ? found.until : null;
  }

  private lease(now: Date): NonNullable<OutboxDocument['lease']> {
    return { owner: this.deps.processId, until: new Date(now.getTime() + DELIVERY_LEASE_MS) };
  }

  private empty(
    now: Date,
  ): Omit<OutboxDocument, '_id' | 'workspaceId' | 'to' | 'view' | 'subjectId' | 'deadline'> {
    return {
      message: null,
      wanted: 1,
      shown: 0,
      drawn: 0,
      channel: null,
      ts: null,
      attempts: 0,
      notBefore: now,
      lease: null,
      failed: null,
      createdAt: now,
    };
  }
}

/** The records of the running product, reached from beside it as its operator's command line reaches them. */
import mongoose from 'mongoose';
import { createModels } from '../../models/index.js';
import type { AuditEventDocument } from '../../models/types.js';
import { runningMongodUri } from '../../src/database/embedded.js';

const MINUTE_MS = 60_000;
const workspaceId = 'T0SIESTA';
/** Longer than a test: it lives until it is ended. */
const LIVES_MS = 600_000;

export interface OtherProcess {
  /** It says that it has seen every pause so far. */
  readonly confirm: () => Promise<void>;
  readonly end: () => Promise<void>;
}

export type Records = Awaited<ReturnType<typeof openRecords>>;

/** @param dataDir of a product that runs. Error: none does. */
export async function openRecords(dataDir: string) {
  const uri = await runningMongodUri(dataDir);
  if (uri === null) throw new Error('no product runs on this folder');
  const connection = await mongoose.createConnection(uri).asPromise();
  const models = createModels(connection);

  /**
   * The clock of these requests moves: every moment of theirs is so much earlier. They are compared with the database's
   * clock, which nobody can move.
   */
  const pass = async (minutes: number, ...executionIds: readonly string[]): Promise<void> => {
    const earlier = (moment: string) => ({ $subtract: [moment, minutes * MINUTE_MS] });
    const maybe = (moment: string) => ({ $cond: [{ $ifNull: [moment, false] }, earlier(moment), null] });
    const moved = await models.approvals.updateMany(
      { workspaceId, executionId: { $in: executionIds } },
      [
        {
          $set: {
            createdAt: earlier('$createdAt'),
            expiresAt: earlier('$expiresAt'),
            frozenAt: maybe('$frozenAt'),
            nextReminderAt: maybe('$nextReminderAt'),
            escalateAt: maybe('$escalateAt'),
            remindersLeft: { $map: { input: '$remindersLeft', as: 'at', in: earlier('$$at') } },
          },
        },
      ],
      { updatePipeline: true },
    );
    if (moved.modifiedCount !== executionIds.length) throw new Error('there is no such request');
    // Requesters are told of ends twice a minute at most; those minutes are over too.
    await models.throttles.updateMany(
      { workspaceId, _id: `${workspaceId}:outcomes` },
      [{ $set: { until: earlier('$until') } }],
      { updatePipeline: true },
    );
  };

  /** Who has, or will have, a copy of a request's card. */
  const copies = async (executionId: string): Promise<readonly string[]> => {
    const rows = await models.outbox.find({ workspaceId, view: 'approval', subjectId: executionId }).lean();
    return rows.map(({ to }) => to).sort();
  };

  /** Who did what about an execution, in order. */
  const audited = async (
    executionId: string,
  ): Promise<readonly Pick<AuditEventDocument, 'actor' | 'action' | 'details'>[]> => {
    const events = await models.auditEvents
      .find({ workspaceId, 'subject.id': executionId })
      .sort({ at: 1 })
      .lean();
    return events.map(({ actor, action, details }) => ({ actor, action, details }));
  };

  /** One more process of the product, as the others see it: it lives, and has not looked at any pause yet. */
  const otherProcess = async (): Promise<OtherProcess> => {
    const _id = 'another-process';
    const at = new Date(Date.now() + LIVES_MS);
    await models.processes.create([{ _id, workspaceId, at, pauseVersion: 0 }]);
    return {
      confirm: async () => {
        const settings = await models.settings.findOne({ workspaceId }).lean();
        const pauseVersion = settings?.pauseVersion ?? 0;
        await models.processes.updateOne({ _id, workspaceId }, { $set: { pauseVersion } });
      },
      end: async () => {
        await models.processes.deleteOne({ _id, workspaceId });
      },
    };
  };

  return { pass, copies, audited, otherProcess, close: () => connection.close() };
}

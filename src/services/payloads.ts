/** Arguments and results at rest: encrypted, apart from the execution, bound to it. */
import type { ExecutionDocument, PayloadDocument } from '../../models/types.js';
import type { Arguments, JsonValue } from '../connectors/framework.js';
import { open, seal } from '../credentials/envelope.js';
import type { Dependencies } from './dependencies.js';

/** shared/RELIABILITY.md, G15: an answer is kept up to 256 KiB. */
export const RESULT_LIMIT = 256 * 1024;

export type KeptResult =
  | { readonly truncated: false; readonly value: JsonValue }
  | { readonly truncated: true; readonly value: { readonly [key: string]: JsonValue } };

/** Cuts an answer that is too large: the beginning of its JSON text, and how long it was. */
export function capResult(value: JsonValue): KeptResult {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= RESULT_LIMIT) return { value, truncated: false };
  const beginning = Buffer.from(json)
    .subarray(0, RESULT_LIMIT / 2)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
  return { value: { beginning, bytes }, truncated: true };
}

export class PayloadService {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'keys' | 'workspaceId'>) {}

  async storeArguments(execution: Pick<ExecutionDocument, '_id'>, args: Arguments): Promise<void> {
    await this.deps.models.payloads.create([this.document(execution, 'arguments', args)]);
  }

  /** The execution that these belong to was not accepted. */
  async discard(execution: Pick<ExecutionDocument, '_id'>): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.payloads.deleteMany({ workspaceId, executionId: execution._id });
  }

  /** Writing the same result again is harmless: the outcome is repeated until it is recorded. */
  async storeResult(execution: Pick<ExecutionDocument, '_id'>, value: JsonValue): Promise<void> {
    const document = this.document(execution, 'result', value);
    const filter = { _id: document._id, workspaceId: document.workspaceId };
    await this.deps.models.payloads.replaceOne(filter, document, { upsert: true });
  }

  /** Null when retention has dropped it. @throws EnvelopeError when the record was tampered with */
  async arguments(execution: Pick<ExecutionDocument, '_id'>): Promise<Arguments | null> {
    return (await this.read(execution, 'arguments')) as Arguments | null;
  }

  async result(execution: Pick<ExecutionDocument, '_id'>): Promise<JsonValue | null> {
    return this.read(execution, 'result');
  }

  private async read(
    execution: Pick<ExecutionDocument, '_id'>,
    kind: PayloadDocument['kind'],
  ): Promise<JsonValue | null> {
    const { models, workspaceId, keys } = this.deps;
    const found = await models.payloads.findOne({ _id: `${execution._id}:${kind}`, workspaceId }).lean();
    if (!found) return null;
    return JSON.parse(
      open(keys, found.record, this.context(execution._id, kind)).toString('utf8'),
    ) as JsonValue;
  }

  private document(
    execution: Pick<ExecutionDocument, '_id'>,
    kind: PayloadDocument['kind'],
    value: JsonValue,
  ): PayloadDocument {
    return {
      _id: `${execution._id}:${kind}`,
      workspaceId: this.deps.workspaceId,
      executionId: execution._id,
      kind,
      record: seal(this.deps.keys, JSON.stringify(value), this.context(execution._id, kind)),
      createdAt: this.deps.clock.now(),
    };
  }

  /** Bound to the execution rather than to its connection: a moved payload does not open. */
  private context(executionId: string, field: string) {
    return {
      workspaceId: this.deps.workspaceId,
      connectionId: executionId,
      subject: 'payload',
      generation: 0,
      field,
    };
  }
}

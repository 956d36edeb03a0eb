/** Arguments and results at rest: encrypted, apart from the execution, bound to it. */
import type { ExecutionDocument, PayloadDocument } from '../../models/types.js';
import type { Arguments, JsonValue, Observation } from '../connectors/framework.js';
import { EnvelopeError, open, seal } from '../credentials/envelope.js';
import { upserting } from '../database/duplicate-key.js';
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

/** Names the payload within its execution, and is sealed with it. */
function fieldOf(kind: PayloadDocument['kind'], version: string | undefined): string {
  return version === undefined ? kind : `${kind}:${version}`;
}

/** An execution, and the digest that its arguments have to fit. */
type Bound = Pick<ExecutionDocument, '_id' | 'bindingHash'>;

export interface KeptObservation extends Observation {
  /** Digest of the requests that it was read with: which target it is, whatever it looks like. */
  readonly addressed?: string;
}

export class PayloadService {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'keys' | 'workspaceId'>) {}

  async storeArguments(execution: Pick<ExecutionDocument, '_id'>, args: Arguments): Promise<void> {
    await this.deps.models.payloads.create([this.document(execution, 'arguments', args)]);
  }

  /** As `storeArguments`, when it may be done twice. */
  async keepArguments(execution: Pick<ExecutionDocument, '_id'>, args: Arguments): Promise<void> {
    await this.keep(this.document(execution, 'arguments', args));
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
    await upserting(() => this.deps.models.payloads.replaceOne(filter, document, { upsert: true }));
  }

  /**
   * The arguments that fit the digest: those of an approver's edit where there was one, else as they were asked for.
   * Null when retention has dropped them. @throws EnvelopeError when the record was tampered with
   */
  async arguments(
    execution: Pick<ExecutionDocument, '_id'> & Partial<Pick<ExecutionDocument, 'bindingHash'>>,
  ): Promise<Arguments | null> {
    const { _id, bindingHash } = execution;
    const edited = bindingHash ? [fieldOf('edited', bindingHash)] : [];
    return (await this.first(_id, [...edited, 'arguments'])) as Arguments | null;
  }

  /** As they were asked for, whatever an approver made of them. */
  async originalArguments({ _id }: Pick<ExecutionDocument, '_id'>): Promise<Arguments | null> {
    return (await this.read({ _id }, 'arguments')) as Arguments | null;
  }

  /** Before the digest is: a process that dies in between leaves arguments that nothing points to. */
  async storeEdited(
    { _id }: Pick<ExecutionDocument, '_id'>,
    bindingHash: string,
    args: Arguments,
  ): Promise<void> {
    await this.keep(this.document({ _id }, 'edited', args, bindingHash));
  }

  async result(execution: Pick<ExecutionDocument, '_id'>): Promise<JsonValue | null> {
    return this.read(execution, 'result');
  }

  /** The arguments with which these were run, in no order; left out is what retention has dropped. @throws EnvelopeError */
  async argumentsOf(executions: readonly Bound[]): Promise<readonly Arguments[]> {
    return (await this.sealedOf(executions)).map(({ opened }) => opened());
  }

  /** As `argumentsOf`, by the execution's id; a record that was tampered with is left out like one that is gone. */
  async argumentsById(executions: readonly Bound[]): Promise<ReadonlyMap<string, Arguments>> {
    const found = new Map<string, Arguments>();
    for (const { id, opened } of await this.sealedOf(executions)) {
      try {
        found.set(id, opened());
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error;
      }
    }
    return found;
  }

  /** One question, however many there are. */
  private async sealedOf(executions: readonly Bound[]): Promise<{ id: string; opened: () => Arguments }[]> {
    const fieldsOf = ({ bindingHash }: Bound): string[] => [
      ...(bindingHash ? [fieldOf('edited', bindingHash)] : []),
      'arguments',
    ];
    const { models, workspaceId, keys } = this.deps;
    const ids = executions.flatMap((each) => fieldsOf(each).map((field) => `${each._id}:${field}`));
    const found = await models.payloads.find({ _id: { $in: ids }, workspaceId }).lean();
    const byId = new Map(found.map((document) => [document._id, document]));
    return executions.flatMap((each) => {
      const field = fieldsOf(each).find((name) => byId.has(`${each._id}:${name}`));
      const document = field === undefined ? undefined : byId.get(`${each._id}:${field}`);
      if (!document || field === undefined) return [];
      const context = this.context(each._id, field);
      return [
        {
          id: each._id,
          opened: () => JSON.parse(open(keys, document.record, context).toString('utf8')) as Arguments,
        },
      ];
    });
  }

  /** The target as it was first read; kept once, so that every card and the run speak of the same. What is kept. */
  async keepObservation(
    execution: Pick<ExecutionDocument, '_id'>,
    { fields, version, condition, addressed }: KeptObservation,
  ): Promise<KeptObservation> {
    const value = {
      fields: fields.map((field) => ({ ...field })),
      version,
      ...(condition === undefined ? {} : { condition }),
      ...(addressed === undefined ? {} : { addressed }),
    };
    await this.keep(this.document(execution, 'observation', value));
    return (await this.observation(execution)) ?? value;
  }

  /** Null where nothing was read, or retention has dropped it. @throws EnvelopeError when it was tampered with */
  async observation(execution: Pick<ExecutionDocument, '_id'>): Promise<KeptObservation | null> {
    return (await this.read(execution, 'observation')) as KeptObservation | null;
  }

  /** What is there already stays. */
  private async keep({ _id, workspaceId, ...document }: PayloadDocument): Promise<void> {
    const filter = { _id, workspaceId };
    await upserting(() =>
      this.deps.models.payloads.updateOne(filter, { $setOnInsert: document }, { upsert: true }),
    );
  }

  private async read(
    execution: Pick<ExecutionDocument, '_id'>,
    kind: PayloadDocument['kind'],
  ): Promise<JsonValue | null> {
    return this.first(execution._id, [kind]);
  }

  /** The first of these that there is. */
  private async first(executionId: string, fields: readonly string[]): Promise<JsonValue | null> {
    const { models, workspaceId, keys } = this.deps;
    const ids = fields.map((field) => `${executionId}:${field}`);
    const found = await models.payloads.find({ _id: { $in: ids }, workspaceId }).lean();
    for (const field of fields) {
      const document = found.find(({ _id }) => _id === `${executionId}:${field}`);
      if (!document) continue;
      const bytes = open(keys, document.record, this.context(executionId, field));
      return JSON.parse(bytes.toString('utf8')) as JsonValue;
    }
    return null;
  }

  private document(
    execution: Pick<ExecutionDocument, '_id'>,
    kind: PayloadDocument['kind'],
    value: JsonValue,
    version?: string,
  ): PayloadDocument {
    const field = fieldOf(kind, version);
    return {
      _id: `${execution._id}:${field}`,
      workspaceId: this.deps.workspaceId,
      executionId: execution._id,
      kind,
      record: seal(this.deps.keys, JSON.stringify(value), this.context(execution._id, field)),
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

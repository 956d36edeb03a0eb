/** `/connections test KEY`: one harmless call, made by the admin herself and recorded like any other. */
import { isTerminal } from '../../models/state-machines.js';
import type { ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import type { ExecutionService } from './executions.js';
import { enabledFunctions } from './functions.js';
import { evaluate } from './policy.js';
import type { SubmissionService } from './submission.js';

/** A read that takes longer is looked up later. */
const PATIENCE_MS = 20_000;

export interface TestOutcome {
  readonly fn: Pick<FunctionDefinition, 'name' | 'title'>;
  readonly execution: ExecutionDocument;
  /** False while the call still runs. */
  readonly ended: boolean;
}

export class ConnectionTest {
  constructor(
    private readonly deps: Pick<Dependencies, 'connector'>,
    private readonly submissions: SubmissionService,
    private readonly executions: ExecutionService,
    private readonly connections: ConnectionService,
  ) {}

  /** Functions that a test may call: reads that run directly and need no arguments. */
  async candidates(connection: ConnectionDocument): Promise<readonly FunctionDefinition[]> {
    const connector = await this.deps.connector(connection.connector);
    return enabledFunctions(connector, connection).filter((fn) => {
      const parsed = fn.input.parse({});
      if (!parsed.ok) return false;
      const { risk, effect } = evaluate(connection, fn, parsed.value);
      return risk === 'read' && effect === 'allow';
    });
  }

  /**
   * Calls the first candidate as `userId` and waits for its end.
   * @throws AppError `invalid_arguments` when nothing can be tested, `paused`, `needs_authorization`
   */
  async run(userId: string, userName: string, connection: ConnectionDocument): Promise<TestOutcome> {
    const [fn] = await this.candidates(connection);
    if (!fn) {
      throw new AppError(
        'invalid_arguments',
        'There is nothing to test yet: no read function that runs directly and needs no arguments is turned on.',
      );
    }
    const started = await this.submissions.submitTest({ id: userId, name: userName }, connection, fn);
    const execution = await this.executions.wait(started, PATIENCE_MS);
    // The runner notes it too, a moment after the outcome: too late for the view that is drawn next.
    if (execution.status === 'succeeded') {
      await this.connections.noteUse(connection._id, { read: true, health: 'ok' });
    }
    return { fn: { name: fn.name, title: fn.title }, execution, ended: isTerminal(execution.status) };
  }
}

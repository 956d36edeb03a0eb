/** A loopback server in place of one outside system, and a connector's functions called against it. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type {
  Arguments,
  CallContext,
  FunctionDefinition,
  JsonValue,
  Observation,
} from '../../src/connectors/framework.js';
import { type Answer, type Recorded, type Recorder, startRecorder } from '../contract/recorder.js';
import { call, callContext, functionNamed, MemoryFiles } from './call-context.js';

export interface StandInOptions {
  readonly functions: readonly FunctionDefinition[];
  readonly config: Record<string, JsonValue>;
  /** Path of the base URL; none where the connector's is a host alone. */
  readonly place?: string;
  /** What the paths of `answers` leave out. */
  readonly prefix?: string;
}

/** Starts with the test file and ends with it; forgets everything before each test. */
export function standIn({ functions, config, place = '', prefix = '' }: StandInOptions) {
  let recorder: Recorder;
  let files = new MemoryFiles();
  beforeAll(async () => {
    recorder = await startRecorder();
  });
  afterAll(() => recorder.close());
  beforeEach(() => {
    recorder.requests.length = 0;
    recorder.answer = () => ({});
    files = new MemoryFiles();
  });
  const fn = (name: string) => functionNamed(functions, name);
  const context = (): CallContext =>
    callContext({ baseUrl: `${recorder.origin}${place}`, config, files, executionId: 'exe_stand_in_1' });
  return {
    get origin(): string {
      return recorder.origin;
    },
    get requests(): Recorded[] {
      return recorder.requests;
    },
    get files(): MemoryFiles {
      return files;
    },
    set answer(answer: (request: Recorded) => Answer) {
      recorder.answer = answer;
    },
    fn,
    context,
    /** By method and path: `GET /issue/HELP-12`. */
    answers(table: Readonly<Record<string, Answer>>): void {
      recorder.answer = ({ method, path }) => {
        const start = `${place}${prefix}`;
        const found = path.startsWith(start) ? table[`${method} ${path.slice(start.length)}`] : undefined;
        if (!found) throw new Error(`unexpected ${method} ${path}`);
        return found;
      };
    },
    run: (name: string, args: Arguments = {}): Promise<JsonValue> => call(fn(name), context(), args),
    observe(name: string, args: Arguments): Promise<Observation> {
      const target = fn(name).observe;
      if (!target || 'none' in target) throw new Error(`${name} observes nothing`);
      return target.read(context(), args);
    },
    /** The JSON that was sent with the n-th request. */
    sent: (index = 0): JsonValue => JSON.parse(recorder.requests[index]?.body.toString() ?? ''),
  };
}

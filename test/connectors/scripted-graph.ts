/** A loopback Graph with answers to exactly the requests that a test names; everything else is not found. */
import type {
  Arguments,
  CallContext,
  FunctionDefinition,
  JsonValue,
  Observation,
} from '../../src/connectors/framework.js';
import { type Answer, type Recorded, startRecorder } from '../contract/recorder.js';
import { type ContextOptions, callContext } from './call-context.js';

export interface ScriptedGraph {
  /** `GET /me/messages/x` (below /v1.0, decoded) → answer; a body alone is answered with 200. */
  answers: Record<string, Answer | ((request: Recorded) => Answer)>;
  /** What was asked since the last look, as in `answers`. */
  asked(): string[];
  last(): Recorded;
  context(options?: ContextOptions): ReturnType<typeof callContext>;
  readonly origin: string;
  close(): Promise<void>;
}

export async function startGraph(): Promise<ScriptedGraph> {
  const recorder = await startRecorder();
  let seen = 0;
  const keyOf = ({ method, path }: Recorded) => `${method} ${decodeURIComponent(path).replace('/v1.0', '')}`;
  const graph: ScriptedGraph = {
    answers: {},
    asked() {
      const fresh = recorder.requests.slice(seen).map(keyOf);
      seen = recorder.requests.length;
      return fresh;
    },
    last() {
      const request = recorder.requests.at(-1);
      if (!request) throw new Error('nothing was asked');
      return request;
    },
    context: (options = {}) => callContext({ baseUrl: `${recorder.origin}/v1.0`, ...options }),
    origin: recorder.origin,
    close: () => recorder.close(),
  };
  recorder.answer = (request) => {
    const answer =
      graph.answers[keyOf(request)] ?? refusal(404, 'itemNotFound', 'The resource could not be found.');
    return typeof answer === 'function' ? answer(request) : answer;
  };
  return graph;
}

export function refusal(status: number, code: string, message = code): Answer {
  return { status, body: { error: { code, message } } };
}

export function ok(body: JsonValue): Answer {
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

/** What an approver of this call would see of its target. @throws Error where the function shows none */
export function observed(
  { name, input, observe }: FunctionDefinition,
  context: CallContext,
  args: Arguments,
): Promise<Observation> {
  const parsed = input.parse(args);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  if (!observe || 'none' in observe) throw new Error(`${name} observes nothing`);
  return observe.read(context, parsed.value);
}

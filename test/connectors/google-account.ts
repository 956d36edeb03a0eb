/** Calls of a connector on the playground's Google, signed in with exactly the scopes that a function says it needs. */
import type { Google } from '../../playground/google.js';
import type {
  Arguments,
  CallContext,
  FunctionDefinition,
  JsonValue,
  Observation,
} from '../../src/connectors/framework.js';
import { signIn } from '../playground/google-sign-in.js';
import { call, callContext, functionNamed, MemoryFiles } from './call-context.js';

type Result = Record<string, JsonValue>;

export class GoogleAccount {
  readonly files = new MemoryFiles();
  private readonly tokens = new Map<string, Promise<string>>();

  constructor(
    private readonly google: Google,
    private readonly publicUrl: string,
    private readonly functions: readonly FunctionDefinition[],
    private readonly account: string,
  ) {}

  fn(name: string): FunctionDefinition {
    return functionNamed(this.functions, name);
  }

  async context(
    name: string,
    executionId = 'exe_google_1',
    more: readonly string[] = [],
  ): Promise<CallContext> {
    const scopes = [...this.fn(name).scopes, ...more];
    const key = scopes.join(' ');
    const token = this.tokens.get(key) ?? this.token(scopes);
    this.tokens.set(key, token);
    const authorization = `Bearer ${await token}`;
    return callContext({
      executionId,
      baseUrl: this.google.origin,
      files: this.files,
      authorize: (request) => ({ ...request, headers: { ...request.headers, authorization } }),
    });
  }

  async run(name: string, args: Arguments = {}, executionId?: string): Promise<Result> {
    return objectIn(await call(this.fn(name), await this.context(name, executionId), args));
  }

  async observed(name: string, args: Arguments): Promise<Observation> {
    return observed(this.fn(name), await this.context(name), args);
  }

  private async token(scopes: readonly string[]): Promise<string> {
    return (await signIn(this.google, this.publicUrl, this.account, scopes)).access_token;
  }
}

/** Checks the input as the service does, then reads the target. */
export function observed(
  fn: FunctionDefinition,
  context: CallContext,
  args: Arguments,
): Promise<Observation> {
  const { observe } = fn;
  if (observe === undefined || 'none' in observe) throw new Error(`${fn.name} observes nothing`);
  const parsed = fn.input.parse(args);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return observe.read(context, parsed.value);
}

export function objectIn(value: JsonValue | undefined): Result {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return value;
}

export function firstIn(value: JsonValue | undefined): Result {
  return objectIn(Array.isArray(value) ? value[0] : undefined);
}

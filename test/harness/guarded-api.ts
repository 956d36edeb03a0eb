/** An API on loopback that takes only living tokens with the right scope, and refuses others as Google does. */
import { type Answer, json, listen, type ReceivedRequest } from '../../playground/loopback.js';

export interface GuardedRoute {
  /** `GET /orders`; a `*` stands for one segment. */
  readonly route: string;
  readonly scope: string;
  readonly body: object;
}

export interface SeenRequest {
  readonly route: string;
  readonly status: number;
}

export type GuardedApi = Awaited<ReturnType<typeof startGuardedApi>>;

/** @param scopesOf what a token may do; null for one that is dead or nobody's */
export async function startGuardedApi(
  scopesOf: (token: string) => Promise<readonly string[] | null>,
  routes: readonly GuardedRoute[],
) {
  const requests: SeenRequest[] = [];
  const answer = async (request: ReceivedRequest): Promise<Answer> => {
    const { pathname } = new URL(request.url, 'http://api');
    const called = `${request.method} ${pathname}`;
    const found = routes.find(({ route }) => fits(route, called));
    const scopes = await scopesOf((request.headers.authorization ?? '').replace(/^Bearer /, ''));
    const answered = respond(found, scopes);
    requests.push({ route: called, status: answered.status });
    return answered;
  };
  const server = await listen(0, answer, { delay: 0, fail: undefined }, () => true);
  return { origin: server.origin, host: new URL(server.origin).host, requests, close: () => server.close() };
}

function fits(route: string, called: string): boolean {
  const [wanted, given] = [route.split('/'), called.split('/')];
  return wanted.length === given.length && wanted.every((part, at) => part === '*' || part === given[at]);
}

function respond(found: GuardedRoute | undefined, scopes: readonly string[] | null): Answer {
  if (scopes === null) return refusal(401, 'UNAUTHENTICATED', 'Invalid Credentials');
  if (found === undefined) return refusal(404, 'NOT_FOUND', 'Not Found');
  if (scopes.includes(found.scope)) return json(200, found.body);
  const message = 'Request had insufficient authentication scopes.';
  return refusal(403, 'PERMISSION_DENIED', message, [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }]);
}

/** As google.rpc.Status has it. */
function refusal(code: number, status: string, message: string, details: readonly object[] = []): Answer {
  return json(code, { error: { code, message, status, details } });
}

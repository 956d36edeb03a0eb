/** An outside system that says every credential it is sent back: in bodies, in errors, encoded in every usual way. */
import { type Answer, json, listen, type ReceivedRequest } from '../../playground/loopback.js';

export type EchoUpstream = Awaited<ReturnType<typeof startEchoUpstream>>;

/** What the token endpoint answers, in this order; the last one stays. */
export type TokenAnswer = (request: ReceivedRequest) => Answer;

export async function startEchoUpstream(tokenAnswers: TokenAnswer[]) {
  const requests: ReceivedRequest[] = [];
  const server = await listen(
    0,
    (request) => {
      requests.push(request);
      if (request.url === '/token') {
        const next = tokenAnswers.length > 1 ? tokenAnswers.shift() : tokenAnswers[0];
        if (!next) throw new Error('the token endpoint has no answer');
        return next(request);
      }
      return echo(request);
    },
    { delay: 0, fail: undefined },
    () => true,
  );
  return { origin: server.origin, requests, close: () => server.close() };
}

function echo(request: ReceivedRequest): Answer {
  const sent = credentialsOf(request);
  const path = new URL(request.url, 'http://echo').pathname;
  const said = `You sent ${sent.join(' and ')}`;
  switch (`${request.method} ${path}`) {
    case 'GET /tickets':
      return json(200, {
        headers: request.headers,
        said,
        encoded: sent.map(encodings),
        [sent[0] ?? 'none']: 1,
      });
    case 'POST /tickets':
      return { status: 500, headers: { 'content-type': 'text/plain' }, body: said };
    case 'GET /tickets/search':
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: said };
    case 'GET /gmail/v1/users/me/labels':
      return json(200, {
        labels: sent.map((value) => ({ id: value, name: said, type: encodings(value).base64 })),
      });
    case 'GET /gmail/v1/users/me/profile':
      return json(400, { error: { code: 400, message: said, status: 'INVALID_ARGUMENT' } });
    case 'POST /gmail/v1/users/me/messages/send':
      return json(200, { id: said, threadId: sent[0] ?? '' });
    default:
      return json(422, { message: said, errors: sent.map(encodings) });
  }
}

/** With and without the scheme in front. */
function credentialsOf({ headers }: ReceivedRequest): string[] {
  const given = [headers['x-api-key'], headers.authorization].filter((value) => typeof value === 'string');
  return given.flatMap((value) => [value, value.replace(/^Bearer /, '')]);
}

function encodings(value: string) {
  return {
    base64: Buffer.from(value).toString('base64'),
    inside: Buffer.from(`user:${value}`).toString('base64'),
    base64url: Buffer.from(value).toString('base64url'),
    url: encodeURIComponent(value),
    json: JSON.stringify(value),
  };
}

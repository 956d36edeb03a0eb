/** What the callers' API refuses: input that two readers could read differently, or that nobody asked for. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Api, createApi, expectProblem, READ, TICKET, WRITE } from '../harness/http-api.js';

let api: Api;
beforeAll(async () => {
  api = await createApi(inject('mongoUri'));
});
afterAll(async () => api.close());

describe('bad input is refused with its path', () => {
  const text = (args: string, rest = ''): string =>
    `{"connection":"helpdesk","function":"create_ticket","arguments":{${args}}${rest}}`;
  const fields = '"subject":"a","body":"b","requester":"sam@example.com"';
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const cases: [string, string | Buffer, string | undefined][] = [
    ['no JSON', '{', ''],
    ['something after the end', `${text(fields)} {}`, ''],
    ['a byte order mark', `\ufeff${text(fields)}`, ''],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"connection":"'), Buffer.from([0xff]), Buffer.from('"}')]),
      '',
    ],
    ['a duplicate key', text(`${fields},"subject":"c"`), '/arguments/subject'],
    ['a duplicate key at the top', `{"connection":"a","connection":"b"}`, '/connection'],
    ['an unsafe integer', text(`${fields},"n":12345678901234567890`), '/arguments/n'],
    ['a number that overflows', text(`${fields},"n":1e400`), '/arguments/n'],
    ['NUL', text('"subject":"a\\u0000b"'), '/arguments/subject'],
    ['a lone surrogate', text('"subject":"\\ud800"'), '/arguments/subject'],
    ['__proto__', text(`${fields},"__proto__":{"x":1}`), '/arguments/__proto__'],
    ['nesting beyond 32', text(`"subject":${nested(40)}`), `/arguments/subject${'/0'.repeat(30)}`],
    ['nesting by the thousand', text(`"subject":${nested(1_000)}`), `/arguments/subject${'/0'.repeat(30)}`],
    ['an unknown field', text(fields, ',"status":"approved"'), '/status'],
    ['a policy of one’s own', text(fields, ',"policy":{"effect":"allow"}'), '/policy'],
    ['approvers of one’s own', text(fields, ',"approverIds":["U0ADA"]'), '/approverIds'],
    ['an unknown argument', text(`${fields},"admin":true`), '/arguments/admin'],
    ['a missing argument', text('"subject":"a"'), undefined],
    [
      'an argument of another type',
      text('"subject":7,"body":"b","requester":"sam@example.com"'),
      '/arguments/subject',
    ],
    [
      'an operator in place of a text',
      '{"connection":{"$ne":null},"function":"list_tickets"}',
      '/connection',
    ],
    [
      'arguments that are no object',
      '{"connection":"helpdesk","function":"list_tickets","arguments":[]}',
      '/arguments',
    ],
    ['no connection', '{"function":"list_tickets"}', '/connection'],
    ['a list', '[]', '/'],
    ['null', 'null', '/'],
    ['nothing', '', '/'],
    ['waiting too long', text(fields, ',"wait":61'), '/wait'],
    ['waiting backwards', text(fields, ',"wait":-1'), '/wait'],
    ['waiting for a word', text(fields, ',"wait":"long"'), '/wait'],
    ['waiting for true', text(fields, ',"wait":true'), '/wait'],
    ['an endless reason', text(fields, `,"reason":"${'x'.repeat(2_001)}"`), '/reason'],
    ['a member nobody knows', text(fields, ',"on_behalf_of":"U0NOBODY"'), '/on_behalf_of'],
    ['an email nobody has', text(fields, ',"on_behalf_of":"nobody@example.com"'), '/on_behalf_of'],
    ['a bot as member', text(fields, ',"on_behalf_of":"U0SIESTABOT"'), '/on_behalf_of'],
  ];

  it.each(cases)('%s', async (_what, body, path) => {
    const answer = await api.raw(`/v1/executions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api.tokens.agent}`, 'content-type': 'application/json' },
      body,
    });
    expectProblem(answer, 400, 'invalid_arguments', path ?? answer.body.path);
    if (path === undefined) expect(answer.body.path).toMatch(/^\/arguments/);
  });

  it('more than 256 KiB, and other content types', async () => {
    const large = await api.post({ ...WRITE, arguments: { ...TICKET, body: 'x'.repeat(257 * 1024) } });
    expectProblem(large, 413, 'invalid_arguments');
    expectProblem(
      await api.post('connection=helpdesk', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'invalid_arguments',
    );
    expectProblem(
      await api.post(JSON.stringify(READ), { 'content-type': 'text/plain' }),
      415,
      'invalid_arguments',
    );
  });

  it('bad waits in the query', async () => {
    const { id } = (await api.post(READ)).body;
    for (const wait of ['61', '-1', 'abc', 'Infinity', '1e9', '0x10', '']) {
      expectProblem(await api.get(`/v1/executions/${id}?wait=${wait}`), 400, 'invalid_arguments', '/wait');
    }
  });

  it('nothing of all that was recorded or sent', async () => {
    const { models, workspaceId } = api.connected.deps;
    expect(await models.executions.countDocuments({ workspaceId, function: 'create_ticket' })).toBe(0);
    expect(api.world.helpdesk.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

/**
 * The real app in this process, on a Slack stand-in that keeps all it is given, with an outside system that takes
 * anything. Requests are spread over three approvers, because Slack takes one message per second and channel.
 */
import { randomUUID } from 'node:crypto';
import { freePort } from '../../playground/free-port.js';
import { json, listen } from '../../playground/loopback.js';
import { sign } from '../../playground/slack/http-push.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message, View } from '../../playground/slack/protocol.js';
import { startApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { ACTIONS } from '../../src/slack/ids.js';
import { readTexts } from '../blocks/what-slack-reads.js';
import { type Answer, call, createWorld } from '../harness/app-process.js';
import { silentLog } from '../setup/database.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const LANES = [
  { approver: 'U0BEN', route: 'C0APPROVALS' },
  { approver: 'U0CLEO', route: 'C0GENERAL' },
  { approver: 'U0DANA', route: null },
] as const;

const DOCUMENT = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Anything', version: '1' },
  servers: [{ url: 'https://anything.example.com' }],
  paths: {
    '/things': {
      post: {
        operationId: 'make_thing',
        summary: 'Make a thing',
        requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
        responses: { 200: { description: 'made' } },
      },
    },
  },
});

/** A payload that Slack was given, and how it came there. */
export interface Given {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The message or view. */
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly id: string;
  /** Stands in every argument of this request, and nowhere else. */
  readonly token: string;
  readonly approver: Person;
}

export type HostileDesk = Awaited<ReturnType<typeof startHostileDesk>>;

export async function startHostileDesk(mongoUri: string) {
  const world = await createWorld({ transport: 'http', mongoUri });
  const sent: string[] = [];
  // It repeats whatever it was sent, also where it refuses it.
  const upstream = await listen(
    0,
    ({ body }) => {
      sent.push(body);
      return body.includes('refuse this')
        ? json(422, { message: JSON.parse(body).text })
        : json(200, { echo: JSON.parse(body) });
    },
    { delay: 0, fail: undefined },
    () => true,
  );
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = parseConfig(
    {
      ...world.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: origin,
      OUTBOUND_ALLOW_PRIVATE: new URL(upstream.origin).host,
    },
    false,
  );
  if (!config.slack) throw new Error('the test environment is incomplete');
  const app = await startApp({ config, slack: config.slack, log: silentLog });
  const { slack } = world;
  slack.deliverTo({ mode: 'http', url: [`${origin}/slack/events`], signingSecret: slack.signingSecret });
  const looking = await world.services();
  const { services } = looking;

  const { operations } = await importOpenApi(DOCUMENT);
  const { caller, token: key } = await services.callers.create(ADA, {
    name: 'Support agent',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  const lanes = await Promise.all(
    LANES.map(async ({ approver, route }, lane) => {
      const connection = await services.connections.create(ADA, {
        connector: 'rest',
        identity: 'shared',
        name: `Anything ${lane + 1}`,
        key: `anything-${lane + 1}`,
        purpose: 'Takes whatever it is sent',
        ownerId: 'U0ADA',
        businessOwnerId: 'U0ADA',
        auth: 'none',
        config: { base_url: upstream.origin, operations: operations.map((each) => ({ ...each })) },
        enabledFunctions: ['make_thing'],
        rules: [
          {
            id: 'writes',
            functions: null,
            risks: ['write', 'destructive'],
            effect: 'ask',
            approvers: { users: [approver], usergroups: [], connectionOwner: false },
            quorum: 1,
            route,
            expiresInMinutes: 60,
          },
        ],
      });
      await services.connections.setAccess(ADA, connection, [{ callerId: caller._id, functions: null }]);
      return { key: connection.key, approver: person(slack, approver, { patienceMs: 15_000 }) };
    }),
  );

  let asked = 0;
  /** @param body of the call; `token` stands for what marks this request */
  const ask = async (body: (token: string) => object, reason?: (token: string) => string): Promise<Asked> => {
    const token = `zq${randomUUID().slice(0, 8)}`;
    const lane = lanes[asked % lanes.length];
    asked += 1;
    if (!lane) throw new Error('there is no lane');
    const answer = await call(origin, key, '/v1/executions', {
      connection: lane.key,
      function: 'make_thing',
      arguments: { body: body(token) },
      ...(reason ? { reason: reason(token) } : {}),
    });
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
    return { id: answer.body.id, token, approver: lane.approver };
  };

  const statusOf = async ({ id }: Asked, wait = 0): Promise<Answer['body']> =>
    (await call(origin, key, `/v1/executions/${id}?wait=${wait}`)).body;

  const cardOf = ({ id, approver }: Asked, fits: (card: Message) => boolean = () => true): Promise<Message> =>
    approver.waitForMessage(
      (message) =>
        message.channel === approver.dm()[0]?.channel &&
        JSON.stringify(message.blocks).includes(`approval:${id}`) &&
        fits(message),
    );

  /** Everything of ours that Slack took and that is about this request. */
  const given = ({ id, token }: Asked): Given[] =>
    slack.workspace.requests.flatMap(({ method, args }) => {
      const { view, blocks, text } = args;
      const payload = read(view) ?? (blocks === undefined ? null : { text, blocks: read(blocks) });
      const all = JSON.stringify(payload);
      return payload && (all.includes(id) || all.includes(token))
        ? [{ method, args, payload: { ...payload } }]
        : [];
    });

  /** Opens Details and turns every page; leaves the last one open. */
  const leafThrough = async (asked: Asked): Promise<View[]> => {
    const { approver } = asked;
    await approver.click(await cardOf(asked), ACTIONS.details);
    const pages = [
      await approver.waitForView(
        (view) =>
          JSON.stringify(view).includes(`approval:${asked.id}`) && /Details/.test(JSON.stringify(view.title)),
      ),
    ];
    for (;;) {
      const page = pages.at(-1);
      if (!page || !JSON.stringify(page.blocks).includes(ACTIONS.pageOn)) return pages;
      await approver.click('modal', ACTIONS.pageOn);
      pages.push(
        await approver.waitForView(
          ({ private_metadata: at }) =>
            at === JSON.stringify({ execution: asked.id, page: String(pages.length) }),
        ),
      );
    }
  };

  /** What a person sends through Slack, signed as Slack signs it: on buttons and forms that need not be there. */
  const forge = async (userId: string, payload: object): Promise<number> => {
    const { team, app: ours } = slack.workspace;
    const whole = {
      team: { id: team.id, domain: team.domain },
      user: { id: userId, username: userId, name: userId, team_id: team.id },
      api_app_id: ours.id,
      token: 'fake',
      enterprise: null,
      is_enterprise_install: false,
      // Each its own: the same again within a second would be a replay.
      trigger_id: `${performance.now()}.fake`,
      ...payload,
    };
    const body = new URLSearchParams({ payload: JSON.stringify(whole) }).toString();
    const timestamp = Math.floor(Date.now() / 1_000);
    const answer = await fetch(`${origin}/slack/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-signature': sign(slack.signingSecret, timestamp, body),
        'x-slack-request-timestamp': String(timestamp),
      },
      body: Buffer.from(body),
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  return {
    slack,
    looking,
    app,
    ask,
    statusOf,
    cardOf,
    given,
    leafThrough,
    forge,
    lanes,
    people: {
      ada: person(slack, 'U0ADA', { patienceMs: 15_000 }),
      dana: person(slack, 'U0DANA', { patienceMs: 15_000 }),
    },
    /** Bodies that the outside system was sent of this request. */
    sent: ({ token }: Asked): string[] => sent.filter((body) => body.includes(token)),
    /** Of this request and this person, besides looks at its payload. */
    audited: async ({ id }: Asked, userId: string): Promise<string[]> => {
      const { models, workspaceId } = looking.deps;
      const events = await models.auditEvents
        .find({ workspaceId, 'subject.id': id, 'actor.id': userId, action: { $ne: 'payload.viewed' } })
        .lean();
      return events.map(({ action }) => action);
    },
    close: async () => {
      await looking.close();
      await app.stop();
      await upstream.close();
      await world.close();
    },
  };
}

function read(value: unknown): Record<string, unknown> | null {
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : null;
}

export const textOf = (payload: unknown): string => readTexts(payload).join('\n');

/**
 * The real app in this process, on a port, behind its real HTTP receiver; and Slack's payloads made and signed by hand,
 * so that they can say what no Slack client would: another's name, another's button, another's form.
 */
import { freePort } from '../../playground/free-port.js';
import { sign } from '../../playground/slack/http-push.js';
import { user } from '../../playground/slack/seed.js';
import { startApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import { silentLog } from '../setup/database.js';
import { createWorld } from './app-process.js';

export type SignedSlack = Awaited<ReturnType<typeof startSignedSlack>>;
type Fields = Readonly<Record<string, unknown>>;

export interface Response {
  readonly status: number;
  /** What the handler acked, as text. */
  readonly text: string;
}

/** Whatever was refused, by whom and to whom ever. */
const REFUSALS = /^(?:approval\.(?:refused_|late_)|slack\.|execution\.refused)/;

export async function startSignedSlack(mongoUri: string) {
  const world = await createWorld({ transport: 'http', mongoUri });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = parseConfig(
    {
      ...world.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: origin,
      OUTBOUND_ALLOW_PRIVATE: world.allowPrivate.join(','),
    },
    false,
  );
  if (!config.slack) throw new Error('the test environment is incomplete');
  const app = await startApp({ config, slack: config.slack, log: silentLog });
  const looking = await world.services();
  const { workspace, signingSecret } = world.slack;

  const post = async (fields: Fields): Promise<Response> => {
    const body = new URLSearchParams(
      Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
    ).toString();
    const timestamp = Math.floor(Date.now() / 1_000);
    const response = await fetch(`${origin}/slack/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': String(timestamp),
        'x-slack-signature': sign(signingSecret, timestamp, body),
      },
      body: Buffer.from(body),
    });
    return { status: response.status, text: await response.text() };
  };

  const interaction = (type: string, userId: string): Fields => ({
    type,
    team: { id: workspace.team.id, domain: workspace.team.domain },
    user: { id: userId, username: userId.toLowerCase(), team_id: workspace.team.id },
    api_app_id: workspace.app.id,
    token: 'fake',
    enterprise: null,
    is_enterprise_install: false,
    trigger_id: workspace.newTrigger(userId, null),
  });

  /** A button on a card in the approvals channel, unless `change` puts it elsewhere. */
  const click = (userId: string, actionId: string, value: string, change: Fields = {}): Promise<Response> => {
    const ts = workspace.nextTs();
    const payload = {
      ...interaction('block_actions', userId),
      container: { type: 'message', message_ts: ts, channel_id: 'C0APPROVALS', is_ephemeral: false },
      channel: { id: 'C0APPROVALS', name: 'approvals' },
      actions: [{ type: 'button', action_id: actionId, block_id: 'b', value, action_ts: ts }],
      ...change,
    };
    return post({ payload: JSON.stringify(payload) });
  };

  const viewOf = (type: 'modal' | 'home', callbackId: string, metadata: string, values: Fields): Fields => ({
    id: workspace.id('V'),
    team_id: workspace.team.id,
    type,
    callback_id: callbackId,
    private_metadata: metadata,
    state: { values },
    hash: '1.fake',
    blocks: [],
    previous_view_id: null,
    root_view_id: 'V0ROOT',
  });

  /** A button in a modal or in App Home. */
  const clickIn = (
    userId: string,
    type: 'modal' | 'home',
    actionId: string,
    value: string,
    metadata = '',
    change: Fields = {},
  ): Promise<Response> => {
    const view = viewOf(type, type === 'modal' ? 'approval.details' : '', metadata, {});
    const place = { container: { type: 'view', view_id: view.id }, view, channel: undefined };
    return click(userId, actionId, value, { ...place, ...change });
  };

  const submit = (
    userId: string,
    callbackId: string,
    metadata: string,
    values: Fields = {},
    change: Fields = {},
  ): Promise<Response> => {
    const view = viewOf('modal', callbackId, metadata, values);
    const payload = { ...interaction('view_submission', userId), view, response_urls: [], ...change };
    return post({ payload: JSON.stringify(payload) });
  };

  const command = (userId: string, name: string, typed: string, change: Fields = {}): Promise<Response> =>
    post({
      token: 'fake',
      team_id: workspace.team.id,
      team_domain: workspace.team.domain,
      channel_id: 'C0GENERAL',
      channel_name: 'general',
      user_id: userId,
      user_name: userId.toLowerCase(),
      command: name,
      text: typed,
      api_app_id: workspace.app.id,
      is_enterprise_install: 'false',
      trigger_id: workspace.newTrigger(userId, null),
      ...change,
    });

  /** Everything of the workspace that was refused, oldest first. */
  const refusals = async () => {
    const { models, workspaceId } = looking.deps;
    return models.auditEvents.find({ workspaceId, action: REFUSALS }).sort({ at: 1, _id: 1 }).lean();
  };

  /** Somebody of the workspace whom nobody has asked about yet, so nothing of her is remembered. */
  const member = (id: string, change: Partial<Parameters<typeof user>[0]> = {}): string => {
    workspace.users.set(id, user({ id, name: id.toLowerCase(), ...change }));
    workspace.channel('C0APPROVALS').members.push(id);
    return id;
  };

  return {
    world,
    origin,
    looking,
    click,
    clickIn,
    submit,
    command,
    member,
    refusals,
    close: async () => {
      await app.stop();
      await looking.close();
      await world.close();
    },
  };
}

import type { AddressInfo } from 'node:net';
import { App, HTTPReceiver, LogLevel, SocketModeReceiver } from '@slack/bolt';
import type { KnownBlock, View } from '@slack/types';
import { smallManifest } from '../../playground/slack/manifest.js';
import { listenSlackServer, type SlackServerOptions } from '../../playground/slack/server.js';

export type TransportName = 'socket' | 'http';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const option = (text: string, value: string) => ({ text: plain(text), value });

export const form = (title: string): View => ({
  type: 'modal',
  callback_id: 'toy.form',
  title: plain(title),
  submit: plain('Save'),
  close: plain('Cancel'),
  notify_on_close: true,
  private_metadata: 'kept',
  blocks: [
    {
      type: 'input',
      block_id: 'name',
      label: plain('Name'),
      element: { type: 'plain_text_input', action_id: 'value', max_length: 20 },
    },
    {
      type: 'input',
      block_id: 'kind',
      label: plain('Kind'),
      element: {
        type: 'static_select',
        action_id: 'value',
        options: [option('Shared', 'shared'), option('Private', 'private')],
        initial_option: option('Shared', 'shared'),
      },
    },
    {
      type: 'input',
      block_id: 'system',
      label: plain('System'),
      optional: true,
      element: { type: 'external_select', action_id: 'toy.system', min_query_length: 1 },
    },
    {
      type: 'input',
      block_id: 'owners',
      label: plain('Owners'),
      optional: true,
      element: { type: 'multi_users_select', action_id: 'value' },
    },
    {
      type: 'actions',
      block_id: 'more',
      elements: [{ type: 'button', action_id: 'toy.deeper', text: plain('Go deeper'), value: 'deeper' }],
    },
  ],
});

export const card = (state: string): KnownBlock[] => [
  { type: 'section', text: { type: 'mrkdwn', text: `Request by <@U0CLEO>: ${state} &amp; open` } },
  {
    type: 'actions',
    block_id: 'decide',
    elements: [
      { type: 'button', action_id: 'toy.approve', text: plain('Approve'), value: 'e1' },
      { type: 'button', action_id: 'toy.whisper', text: plain('Whisper'), value: 'e1' },
      { type: 'button', action_id: 'toy.twice', text: plain('Open twice'), value: 'e1' },
    ],
  },
];

const home = (text: string): View => ({
  type: 'home',
  blocks: [{ type: 'section', text: { type: 'plain_text', text } }],
});

/** What the small app saw and what failed, for assertions. */
export interface Seen {
  payloads: Record<string, unknown>[];
  errors: string[];
  retries: (number | undefined)[];
}

const codeOf = (error: unknown): string => {
  const { data } = error as { data?: { error?: string } };
  return data?.error ?? String(error);
};

function features(app: App, seen: Seen): void {
  const attempt = async (call: () => Promise<unknown>): Promise<void> => {
    await call().catch((error: unknown) => seen.errors.push(codeOf(error)));
  };
  app.use(async ({ body, next }) => {
    seen.payloads.push({ ...body });
    await next();
  });
  app.command('/toy', async ({ command, ack, client }) => {
    if (command.text === 'text') return ack('Nothing here yet');
    if (command.text === 'silent') return;
    await ack();
    await attempt(() => client.views.open({ trigger_id: command.trigger_id, view: form('Add') }));
  });
  app.view('toy.form', async ({ ack, view, client }) => {
    const name = view.state.values.name?.value?.value;
    if (name === 'wrong') return ack({ response_action: 'errors', errors: { name: 'Taken already' } });
    if (name === 'nonsense') return ack({ response_action: 'errors', errors: { nowhere: 'No such block' } });
    if (name === 'again') return ack({ response_action: 'update', view: form('Updated') });
    if (name === 'more') return ack({ response_action: 'push', view: form('Pushed') });
    if (name === 'done') return ack({ response_action: 'clear' });
    await ack();
    await client.chat.postMessage({ channel: 'C0APPROVALS', text: 'A request', blocks: card(String(name)) });
  });
  app.view({ callback_id: 'toy.form', type: 'view_closed' }, async ({ ack }) => ack());
  app.action('toy.deeper', async ({ ack, body, client }) => {
    await ack();
    if (body.type !== 'block_actions') return;
    await attempt(() => client.views.push({ trigger_id: body.trigger_id, view: form('Deeper') }));
  });
  app.action('toy.approve', async ({ ack, body, client, respond }) => {
    await ack();
    if (body.type !== 'block_actions' || !body.channel) return;
    if (!body.message) {
      await respond({ replace_original: true, text: 'Approved, between us' });
      return;
    }
    await client.chat.update({
      channel: body.channel.id,
      ts: body.message.ts,
      text: `Approved by <@${body.user.id}>`,
      blocks: card('approved').slice(0, 1),
    });
  });
  app.action('toy.whisper', async ({ ack, respond }) => {
    await ack();
    await respond({ text: 'Only you', blocks: card('whispered') });
  });
  app.action('toy.twice', async ({ ack, body, client }) => {
    await ack();
    if (body.type !== 'block_actions') return;
    await attempt(() => client.views.open({ trigger_id: body.trigger_id, view: form('Once') }));
    await attempt(() => client.views.open({ trigger_id: body.trigger_id, view: form('Twice') }));
  });
  app.options('toy.system', async ({ ack, options }) => {
    await ack({
      options: [option(`${options.value} Cloud`, 'cloud'), option(`${options.value} Local`, 'local')],
    });
  });
  app.event('app_home_opened', async ({ event, client, context }) => {
    seen.retries.push(context.retryNum);
    await client.views.publish({ user_id: event.user, view: home(`Welcome ${event.user}`) });
  });
  app.message(async ({ message, say }) => {
    if (message.subtype === undefined) await say(`You said ${message.text}`);
  });
}

export interface ToyWorkspace {
  readonly slack: Awaited<ReturnType<typeof listenSlackServer>>;
  readonly app: App;
  readonly seen: Seen;
  /** Where the app takes deliveries over HTTP; empty in Socket Mode. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A real Bolt app of a few listeners in front of the Slack server, over either transport. */
export async function startToy(
  transport: TransportName,
  options: Partial<SlackServerOptions> = {},
): Promise<ToyWorkspace> {
  const slack = await listenSlackServer({
    manifest: smallManifest({ commands: [{ command: '/toy', description: '', usage_hint: '' }] }),
    botToken: 'xoxb-fake-toy',
    appToken: 'xapp-fake-toy',
    signingSecret: 'fake-signing-secret',
    eventRetryDelaysMs: [0, 20, 20],
    ...options,
  });
  const clientOptions = () => ({
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const receiver =
    transport === 'socket'
      ? new SocketModeReceiver({
          appToken: slack.tokens.app,
          logLevel: LogLevel.ERROR,
          installerOptions: { clientOptions: clientOptions() },
        })
      : new HTTPReceiver({ signingSecret: slack.signingSecret, logLevel: LogLevel.ERROR });
  const app = new App({
    token: slack.tokens.bot,
    receiver,
    clientOptions: clientOptions(),
    logLevel: LogLevel.ERROR,
    deferInitialization: true,
  });
  const seen: Seen = { payloads: [], errors: [], retries: [] };
  features(app, seen);
  await app.init();
  let url = '';
  if (receiver instanceof HTTPReceiver) {
    const { port } = (await receiver.start(0)).address() as AddressInfo;
    url = `http://127.0.0.1:${port}/slack/events`;
    slack.deliverTo({ mode: 'http', url });
  } else {
    await receiver.start();
    await slack.connected();
  }
  return {
    slack,
    app,
    seen,
    url,
    async stop() {
      await app.stop();
      await slack.close();
    },
  };
}

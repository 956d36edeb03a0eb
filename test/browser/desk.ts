/**
 * A product with a helpdesk that an agent may use, ready in a few seconds: for browser tests of what comes after the
 * seven steps. Everything is registered as people do it, by commands, modals and one-time pages, but without the
 * browser; its page is opened when all that is done.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ticket } from '../../playground/helpdesk.js';
import type { Given } from '../../playground/slack/entry.js';
import type { Violation } from '../../playground/slack/protocol.js';
import { Visitor } from '../../playground/visitor.js';
import { freePorts } from '../harness/free-ports.js';
import { WatchedBrowser } from './browser.js';
import { ClientPerson } from './client-person.js';
import { Playground } from './page.js';
import { type RunningProduct, startProduct } from './product.js';

export const CONNECTION = 'Helpdesk - Support - tickets';
export const CALLER = 'Support agent';
const PEOPLE = { Ada: 'U0ADA', Ben: 'U0BEN', Cleo: 'U0CLEO', Dana: 'U0DANA' } as const;

export interface DeskOptions {
  /** Who may decide; not Ada: the caller is hers. Only Ben, unless said otherwise. */
  readonly approvers?: readonly (keyof typeof PEOPLE)[];
  /** Names of functions of the helpdesk's document. */
  readonly functions?: readonly string[];
  /** The card is posted to #approvals, too; on, unless said otherwise. */
  readonly inChannel?: boolean;
  /** More of the rule, by the labels of its form: `{ 'Approvals needed': 2 }`. */
  readonly rule?: Readonly<Record<string, Given>>;
}

/** What the HTTP API says of a tool execution, as far as these tests read it. */
export interface Asked {
  readonly id: string;
  readonly status: string;
  readonly requirement: string;
  readonly approval?: { readonly status: string; readonly note?: string };
}

export interface Desk {
  readonly slack: Playground;
  readonly browser: WatchedBrowser;
  readonly product: RunningProduct;
  /** `http://localhost:…`, of the product and of the page. */
  readonly address: string;
  /** The product's folder: its database is below it. */
  readonly dataDir: string;
  /** Ada, who administers, without the browser. */
  readonly admin: ClientPerson;
  /** Calls a function of the helpdesk over HTTP and does not wait for its end. Error: it was not accepted. */
  ask(name: string, values: object, reason?: string): Promise<Asked>;
  /** As it stands after `wait` seconds at most, or as soon as it ended. */
  execution(id: string, wait?: number): Promise<Asked>;
  /** What the helpdesk holds. */
  tickets(): Promise<readonly Ticket[]>;
  /** Changes the rule that asks, by the labels of its form; requests that wait are asked again. */
  changeRule(values: Readonly<Record<string, Given>>): Promise<void>;
  /** Everything that Slack would have refused so far, or that it was not given as it should. */
  violations(): Promise<readonly Omit<Violation, 'payload'>[]>;
  /** Ends all of it, and removes its data. */
  close(): Promise<void>;
}

/** Starts it on a free port and a fresh folder; the page is Ben's, at #approvals, and its agent has the token. */
export async function startDesk(options: DeskOptions = {}): Promise<Desk> {
  const port = await freePorts();
  const dataDir = await mkdtemp(join(tmpdir(), 'siesta-desk-test-'));
  const address = `http://localhost:${port}`;
  const [started, launched] = await Promise.allSettled([
    startProduct(port, dataDir),
    WatchedBrowser.launch(),
  ]);
  const close = async (): Promise<void> => {
    if (launched.status === 'fulfilled') await launched.value.close();
    if (started.status === 'fulfilled') await started.value.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    if (started.status === 'rejected') throw started.reason;
    if (launched.status === 'rejected') throw launched.reason;
    const admin = new ClientPerson(address, PEOPLE.Ada);
    await addHelpdesk(address, admin, options);
    if (options.rule) await changeRule(admin, options.rule);
    const token = await registerCaller(admin);
    const slack = new Playground(await launched.value.context.newPage());
    await slack.open(`${address}/#/${PEOPLE.Ben}/C0APPROVALS`);
    await slack.agent.getByLabel('Token').fill(token);
    await slack.agent.getByText(/functions? may be called\./).waitFor();
    const call = async (path: string, body?: object): Promise<Asked> => {
      const response = await fetch(`${address}/v1/executions${path}`, {
        method: body ? 'POST' : 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body ? { 'content-type': 'application/json', 'idempotency-key': randomUUID() } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      return (await response.json()) as Asked;
    };
    return {
      slack,
      browser: launched.value,
      product: started.value,
      address,
      dataDir,
      admin,
      ask: (name, values, reason) =>
        call('', {
          connection: 'helpdesk',
          function: name,
          arguments: values,
          ...(reason === undefined ? {} : { reason }),
        }),
      execution: (id, wait = 0) => call(`/${id}?wait=${wait}`),
      tickets: async () => {
        const { tickets } = await json<{ tickets: Ticket[] }>(`${address}/playground/helpdesk/tickets`);
        return tickets;
      },
      changeRule: (values) => changeRule(admin, values),
      violations: () => json(`${address}/playground/client/violations`),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function json<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

interface Services {
  readonly helpdesk: { readonly base_url: string; readonly openapi_url: string; readonly api_key: string };
}

async function addHelpdesk(address: string, admin: ClientPerson, options: DeskOptions): Promise<void> {
  const { approvers = ['Ben'], functions = ['list_tickets', 'create_ticket'], inChannel = true } = options;
  const { helpdesk } = await json<Services>(`${address}/playground/services`);
  await admin.command('/connections add');
  await admin.choose(await admin.view(/"Connector"/), 'Connector', 'REST API');
  await admin.submit(await admin.view(/OpenAPI document/), {
    Identity: 'shared',
    'How it signs in': 'api_key',
    Name: CONNECTION,
    Key: 'helpdesk',
    Purpose: 'Support agents read and file tickets',
    'Business owner': PEOPLE.Dana,
    'OpenAPI document': helpdesk.openapi_url,
    'Base URL': helpdesk.base_url,
  });
  await admin.submit(await admin.view(/Functions to turn on/), { 'Functions to turn on': functions });
  await admin.submit(await admin.view(/"Approvers"/), {
    Approvers: approvers.map((name) => PEOPLE[name]),
    ...(inChannel ? { 'Also post the card to a channel': 'C0APPROVALS' } : {}),
  });
  await visit(await admin.view(/\/secrets\//), { api_key: helpdesk.api_key });
  await admin.close();
}

async function changeRule(admin: ClientPerson, values: Readonly<Record<string, Given>>): Promise<void> {
  await admin.command('/connections policy helpdesk');
  await admin.click(await admin.view(/policy version/), 'Change');
  await admin.submit(await admin.view(/Change the rule/), values);
  // What the rule is warned of is shown before it is saved; this one is meant as it is.
  const next = await admin.view(/The policy is saved|It is not saved yet/);
  if (JSON.stringify(next).includes('It is not saved yet')) {
    await admin.submit(next, values);
    await admin.view(/The policy is saved/);
  }
  await admin.close();
}

/** @returns its token */
async function registerCaller(admin: ClientPerson): Promise<string> {
  await admin.command('/connections callers add');
  await admin.submit(await admin.view(/"Stage"/), { Name: CALLER, Kind: 'agent', Stage: 'test' });
  const token = /siesta_\w+/.exec(await visit(await admin.view(/\/secrets\/token\//)))?.[0];
  if (token === undefined) throw new Error('the page shows no token');
  await admin.close();
  await admin.command('/connections access helpdesk');
  await admin.click(await admin.view(/No caller may use it yet/), 'Give access');
  await admin.submit(await admin.view(/What it may call/), { Caller: CALLER });
  await admin.view(/Access is saved/);
  await admin.close();
  return token;
}

/** Sends the form of the one-time page that a modal links to. @returns the page after it */
async function visit(shown: object, fields: Readonly<Record<string, string>> = {}): Promise<string> {
  const [link] = /https?:\/\/[^"\s|>]*\/secrets\/[^"\s|>]+/.exec(JSON.stringify(shown)) ?? [];
  if (link === undefined) throw new Error('there is no link to a one-time page');
  const visitor = new Visitor();
  const done = await visitor.submit(await visitor.open(link), fields);
  if (done.status !== 200) throw new Error(`the one-time page answered ${done.status}`);
  return done.html;
}

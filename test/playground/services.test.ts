/** What the playground starts beside the app: where it is, who is told, and that it ends. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Playground, startPlayground } from '../../playground/index.js';
import { catalogue, loadConnector } from '../../src/connectors/catalogue.js';
import { freePorts } from '../harness/free-ports.js';

const servers: Server[] = [];
const playgrounds: Playground[] = [];

afterEach(async () => {
  await Promise.all(playgrounds.splice(0).map((playground) => playground.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server, port: number): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What the page is told, and the playground's configuration. */
async function started(port: number) {
  const options = {
    port,
    publicUrl: `http://127.0.0.1:${port}`,
    allowPrivate: ['10.0.0.1:80'],
    endpoints: {},
  };
  const playground = await startPlayground(options);
  playgrounds.push(playground);
  const front = createServer((request, response) => void playground.mount.handle(request, response));
  const at = await listening(front, 0);
  const answer = await fetch(`http://127.0.0.1:${at}/playground/services`, {
    headers: { connection: 'close' },
  });
  return {
    config: playground.config,
    services: (await answer.json()) as Record<string, Record<string, string>>,
  };
}

describe('the services of the playground', () => {
  it('are told to the page, and let through by the address guard', async () => {
    const { services, config } = await started(await freePorts());
    expect(services).toEqual({
      helpdesk: {
        base_url: expect.any(String),
        openapi_url: expect.any(String),
        api_key: expect.any(String),
      },
      google: {
        base_url: expect.any(String),
        client_id: expect.any(String),
        client_secret: expect.any(String),
      },
      azure_storage: {
        account_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1$/),
        connection_string: expect.stringContaining('AccountName=devstoreaccount1;AccountKey='),
      },
      mcp: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/) },
    });
    const hosts = [
      services.helpdesk?.base_url,
      services.google?.base_url,
      services.azure_storage?.account_url,
      services.mcp?.url,
    ].map((url) => new URL(url ?? '').host);
    expect(config.allowPrivate).toEqual(['10.0.0.1:80', ...hosts]);
  });

  it('move to another port where theirs is taken, and say so', async () => {
    const port = await freePorts();
    const taken = await listening(createServer(), port + 3).catch(() => port + 3);
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const { services } = await started(port);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining(`Port ${taken} is taken`));
    warn.mockRestore();
    expect(new URL(services.azure_storage?.account_url ?? '').port).not.toBe(String(taken));
  });

  it('are gone when it is closed', async () => {
    const { services } = await started(await freePorts());
    const url = services.mcp?.url ?? '';
    expect((await fetch(url)).status).toBeGreaterThanOrEqual(400);
    await playgrounds.splice(0)[0]?.close();
    await expect(fetch(url)).rejects.toThrow();
  });
});

interface PanelService {
  readonly title: string;
  readonly connector: string;
  readonly auth: string;
  readonly values: readonly (readonly [label: string, field: string])[];
}

describe('the panel “What to connect”', async () => {
  const { SERVICES, NOTHING_TO_CALL } = (await import(
    new URL('../../playground/web/services.js', import.meta.url).href
  )) as { SERVICES: readonly PanelService[]; NOTHING_TO_CALL: string };

  it('names every connector once', () => {
    const named = [
      ...SERVICES.flatMap(({ connector }) => connector.split(', ')),
      ...NOTHING_TO_CALL.replace(' and ', ', ').split(', '),
    ];
    expect(named.sort()).toEqual(catalogue.map(({ title }) => title).sort());
  });

  it.each(SERVICES.map((service) => [service.title, service] as const))(
    'says of %s what the forms ask',
    async (_, { connector, auth, values }) => {
      for (const title of connector.split(', ')) {
        const { id = '' } = catalogue.find((entry) => entry.title === title) ?? {};
        const { auth: methods, fields } = await loadConnector(id);
        const method = methods.find((each) => each.title === auth);
        const typed = method && 'fields' in method ? method.fields : [];
        // The page for an OAuth client has these two for every provider.
        const client = method?.kind === 'oauth' ? ['Client ID', 'Client secret'] : [];
        const labels = [...[...fields, ...typed].map(({ label }) => label), ...client];
        expect(method?.title).toBe(auth);
        expect(values.filter(([label]) => !labels.includes(label))).toEqual([]);
      }
    },
  );
});

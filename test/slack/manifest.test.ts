/** The manifest is what Slack takes, and says the same as the code: nothing is missing, nothing is asked for in vain. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { App } from '@slack/bolt';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import manifest from '../../manifest.json' with { type: 'json' };
import type { SlackEdge } from '../../src/slack/edge.js';
import { registerFeatures } from '../../src/slack/features/index.js';
import { ACTIONS, COMMANDS, EVENTS, SHORTCUTS, VIEWS } from '../../src/slack/ids.js';
import { httpManifest } from '../../src/slack/manifest.js';
import { VIEWS as GALLERY } from '../fixtures/views/index.js';
import schema from './manifest.schema.json' with { type: 'json' };
import scopesByMethod from './web-api-scopes.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

const KINDS = ['action', 'command', 'event', 'options', 'shortcut', 'view'] as const;
type Kind = (typeof KINDS)[number];

/** What the features register, heard by an app that only takes note. */
function registered(): Record<Kind, string[]> {
  const heard: Record<Kind, string[]> = {
    action: [],
    command: [],
    event: [],
    options: [],
    shortcut: [],
    view: [],
  };
  const listen = (kind: Kind) => (id: unknown) => {
    if (typeof id !== 'string') throw new Error(`${kind} is registered by something else than its id`);
    heard[kind].push(id);
  };
  const app = Object.fromEntries([...KINDS.map((kind) => [kind, listen(kind)]), ['error', () => undefined]]);
  // Registering is wiring only: whoever touches a service while doing so fails here.
  registerFeatures({ app: app as unknown as App, services: {}, deps: {} } as SlackEdge);
  return heard;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every object of a payload, from the outside in. */
function* objectsOf(value: Json): Generator<{ [key: string]: Json }> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value;
  for (const part of Object.values(value)) yield* objectsOf(part);
}

const payloads = Object.values(GALLERY).flatMap((views) =>
  Object.values(views).map(({ payload }): Json => JSON.parse(JSON.stringify(payload))),
);
const objects = payloads.flatMap((payload) => [...objectsOf(payload)]);

/** Elements that Slack tells us about at once, and menus that it asks us to fill. */
function drawnIds(): { action: string[]; options: string[] } {
  const silent = new Set(
    objects.flatMap(({ type, element, dispatch_action }) =>
      type === 'input' && dispatch_action !== true && typeof element === 'object' ? [element] : [],
    ),
  );
  const named = objects.flatMap((found) =>
    typeof found.action_id === 'string' ? [{ found, id: found.action_id }] : [],
  );
  return {
    action: sorted(named.filter(({ found }) => !silent.has(found)).map(({ id }) => id)),
    options: sorted(
      named.filter(({ found }) => String(found.type).includes('external_select')).map(({ id }) => id),
    ),
  };
}

const heard = registered();

describe('manifest.json', () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);

  it('is valid by Slack’s schema, for Socket Mode and for HTTP', () => {
    expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
    const http = httpManifest(manifest, 'https://connections.example.com');
    expect(validate(http), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...manifest, display_information: {} })).toBe(false);
  });

  it('differs for HTTP in the addresses and in the flag alone', () => {
    const url = 'https://connections.example.com/slack/events';
    const http = httpManifest(manifest, 'https://connections.example.com/');
    expect(http.settings).toEqual({
      ...manifest.settings,
      socket_mode_enabled: false,
      event_subscriptions: { ...manifest.settings.event_subscriptions, request_url: url },
      interactivity: { is_enabled: true, request_url: url, message_menu_options_url: url },
    });
    expect(http.features).toEqual({
      ...manifest.features,
      slash_commands: manifest.features.slash_commands.map((command) => ({ ...command, url })),
    });
    expect(manifest.settings.socket_mode_enabled).toBe(true);
  });

  it.each(['http://connections.example.com', 'connections.example.com', 'https://example.com/app', ''])(
    'has no HTTP form for %j',
    (address) => {
      expect(() => httpManifest(manifest, address)).toThrow(/https:\/\/connections/);
    },
  );
});

describe('code and manifest', () => {
  const { features, settings, oauth_config: oauth } = manifest;

  it('have the same commands', () => {
    const declared = features.slash_commands.map(({ command }) => command);
    expect(sorted(declared)).toEqual(sorted(heard.command));
    expect(sorted(Object.values(COMMANDS))).toEqual(sorted(heard.command));
  });

  it('have the same shortcuts', () => {
    expect(features.shortcuts.map(({ callback_id: id }) => id)).toEqual(heard.shortcut);
    expect(Object.values(SHORTCUTS)).toEqual(heard.shortcut);
  });

  it('have the same events', () => {
    expect(sorted(settings.event_subscriptions.bot_events)).toEqual(sorted(heard.event));
    expect(sorted(EVENTS)).toEqual(sorted(heard.event));
  });

  it('agree on the scopes: one for every method that is called, and no other', () => {
    const code = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
      .filter((file) => /^(?:slack\/.*|app|doctor)\.ts$/.test(file.replaceAll('\\', '/')))
      .map((file) => readFileSync(`${root}src/${file}`, 'utf8'))
      .join('\n');
    const families = 'apps|auth|chat|conversations|files|team|usergroups|users|views';
    const calls = code.matchAll(
      new RegExp(`\\b(?:client|fast|patient)\\.((?:${families})(?:\\.[a-zA-Z0-9]+)+)\\(`, 'g'),
    );
    const methods = sorted([...calls].map(([, method = '']) => method));
    expect(methods).toContain('chat.postMessage');
    expect(code).not.toMatch(/\.apiCall\(/);
    const known = new Map(Object.entries<string[]>(scopesByMethod));
    expect(methods.filter((method) => !known.has(method))).toEqual([]);

    const granted = new Set(oauth.scopes.bot);
    const needed = methods.map((method) => known.get(method) ?? []).filter((scopes) => scopes.length > 0);
    expect(needed.filter((scopes) => !scopes.some((scope) => granted.has(scope)))).toEqual([]);
    // The manifest's own commands and shortcuts need `commands`; `users:read` also brings `user_change`.
    const explained = new Set(['commands', ...needed.flat()]);
    expect(oauth.scopes.bot.filter((scope) => !explained.has(scope))).toEqual([]);
  });
});

describe('ids', () => {
  const drawn = drawnIds();

  it('are registered once each', () => {
    for (const kind of KINDS) expect(heard[kind], kind).toEqual([...new Set(heard[kind])]);
  });

  it('are all registered, and nothing else is', () => {
    expect(sorted([...heard.action, ...heard.options])).toEqual(sorted(Object.values(ACTIONS)));
  });

  it('are heard wherever the gallery draws them, and drawn wherever they are heard', () => {
    expect(drawn.action).toEqual(sorted(heard.action));
    expect(drawn.options).toEqual(sorted(heard.options));
  });

  it('name views that are drawn; those with a submit button are heard', () => {
    const views = objects.filter(({ type }) => type === 'modal');
    const named = views.flatMap(({ callback_id: id }) => (typeof id === 'string' ? [id] : []));
    expect(sorted(named)).toEqual(sorted(Object.values(VIEWS)));
    const submitted = views.flatMap(({ callback_id: id, submit }) => (submit ? [String(id)] : []));
    expect(sorted(submitted)).toEqual(sorted(heard.view));
  });
});

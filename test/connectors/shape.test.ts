/** What every function of the catalogue has, whoever wrote its connector (docs/adding-a-connector.md). */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogue, loadConnector } from '../../src/connectors/catalogue.js';
import { definitionHash } from '../../src/connectors/definition-hash.js';
import type { Arguments, ConnectorDefinition, FunctionDefinition } from '../../src/connectors/framework.js';
import { OAUTH_PROVIDERS } from '../../src/credentials/oauth-providers.js';
import { SAMPLE_CONFIGS } from '../fixtures/connectors/configs.js';

interface Row {
  readonly connector: ConnectorDefinition;
  readonly fn: FunctionDefinition;
}

const connectors = new Map<string, ConnectorDefinition>();
const rows: Row[] = [];
beforeAll(async () => {
  for (const { id } of catalogue) {
    const connector = await loadConnector(id);
    connectors.set(id, connector);
    rows.push(...connector.functions(SAMPLE_CONFIGS[id] ?? {}).map((fn) => ({ connector, fn })));
  }
});

/** Names of the functions for which something does not hold. */
const failing = (holds: (row: Row) => boolean): string[] =>
  rows.filter((row) => !holds(row)).map(({ connector, fn }) => `${connector.id}.${fn.name}`);
const isWrite = ({ fn }: Row): boolean => fn.risk !== 'read';

describe('a connector', () => {
  it('is one folder, and one line in the catalogue', () => {
    const folders = readdirSync(new URL('../../src/connectors', import.meta.url), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => name !== 'google' && name !== 'microsoft');
    expect(folders.sort()).toEqual(catalogue.map(({ id }) => id).sort());
  });

  it('says the same in the catalogue as by itself', () => {
    for (const { id, title, description } of catalogue) {
      expect(connectors.get(id)).toMatchObject({ id, title, description });
    }
  });

  it('takes its sample config, and reaches nothing but https', () => {
    for (const connector of connectors.values()) {
      const config = SAMPLE_CONFIGS[connector.id] ?? {};
      expect(connector.config.safeParse(config), connector.id).toMatchObject({ success: true });
      for (const method of connector.auth) {
        const base =
          typeof connector.baseUrl === 'function' ? connector.baseUrl(config, method.id) : connector.baseUrl;
        const rules = connector.egress(config, (base ?? String(config.base_url)).replace(/\/+$/, ''));
        for (const { origin } of rules) expect(new URL(origin).protocol, connector.id).toBe('https:');
      }
    }
  });

  it('has auth methods with names, known providers, and fields that people can fill in', () => {
    const names =
      /^(api_key|token|client_id|client_secret|connection_string|service_account_key|username|password|tenant_id|sas_token)$/;
    for (const { id, auth, identities } of connectors.values()) {
      expect(new Set(auth.map((method) => method.id)).size, id).toBe(auth.length);
      for (const method of auth) {
        expect(method.title, `${id} ${method.id}`).not.toBe('');
        for (const identity of method.identities ?? []) expect(identities, id).toContain(identity);
        if (method.kind === 'oauth' && typeof method.provider === 'string') {
          expect(OAUTH_PROVIDERS.map((each) => each.id)).toContain(method.provider);
        }
        for (const field of 'fields' in method ? method.fields : []) {
          expect(field.name).toMatch(names);
          expect(field.label).not.toBe('');
        }
      }
      for (const identity of identities) {
        expect(
          auth.some((method) => !method.identities || method.identities.includes(identity)),
          `${id} ${identity}`,
        ).toBe(true);
      }
    }
  });
});

describe('every function', () => {
  it('has a name that fits an MCP tool, and is the only one of that name', () => {
    expect(failing(({ fn }) => /^[a-z][a-z0-9_]{0,41}$/.test(fn.name))).toEqual([]);
    const names = rows.map(({ connector, fn }) => `${connector.id}.${fn.name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('says what it does and what it brings, in words', () => {
    expect(
      failing(({ fn }) => fn.title.length > 2 && fn.description.length > 10 && fn.output.length > 2),
    ).toEqual([]);
    expect(failing(({ fn }) => fn.description.length <= 500 && fn.title.length <= 60)).toEqual([]);
  });

  it('takes an object, refuses what it does not know, and limits every text and list', () => {
    expect(failing(({ fn }) => fn.input.jsonSchema.type === 'object')).toEqual([]);
    expect(failing(({ fn }) => !fn.input.parse({ no_such_argument: 1 }).ok)).toEqual([]);
    const paths = rows.flatMap((row) =>
      unlimited(row.fn.input.jsonSchema).map((path) => `${nameOf(row)} ${path}`),
    );
    expect(paths).toEqual([]);
  });

  it('names its least scopes wherever a person consents', () => {
    const consents = ({ connector, fn }: Row): boolean =>
      connector.auth.some(
        (method) =>
          method.kind === 'oauth' &&
          typeof method.provider === 'string' &&
          (!fn.auth || fn.auth.includes(method.id)),
      );
    expect(failing((row) => !consents(row) || row.fn.scopes.length > 0 || NO_SCOPE.has(nameOf(row)))).toEqual(
      [],
    );
  });

  it('has a definition that can be hashed', () => {
    expect(failing(({ fn }) => /^[0-9a-f]{64}$/.test(definitionHash(fn)))).toEqual([]);
  });
});

describe('every write', () => {
  it('observes its target, or says why there is none', () => {
    expect(failing((row) => !isWrite(row) || row.fn.observe !== undefined)).toEqual([]);
    const unreasoned = failing(
      ({ fn }) => !fn.observe || !('none' in fn.observe) || fn.observe.none.trim().length > 10,
    );
    expect(unreasoned).toEqual([]);
  });

  it('says so where it reaches people whom its arguments do not name', () => {
    const saying = rows.filter(({ fn }) => fn.reachesUnnamed !== undefined);
    expect(saying.filter((row) => !isWrite(row)).map(nameOf)).toEqual([]);
    const names = new Set(saying.map(nameOf));
    // By what they are called, and by what they say of themselves.
    const meant = rows.filter(
      (row) =>
        isWrite(row) &&
        (/reply|send_draft|_link$|_url$|comment$|_watcher$|^respond_|change_permission/.test(row.fn.name) ||
          (row.connector.id === 'slack' && /^(?:send|schedule|reply|upload|invite)_/.test(row.fn.name)) ||
          /\b(?:everybody|anybody|whole domain|tells (?:its|her)|told by mail)\b/i.test(row.fn.description)),
    );
    expect(meant.map(nameOf).filter((name) => !names.has(name) && !UNREACHED.has(name))).toEqual([]);
    const fn = (name: string) => saying.find((row) => nameOf(row) === name)?.fn.reachesUnnamed;
    const reaches = (name: string, args: Arguments) => {
      const says = fn(name);
      return typeof says === 'function' ? says(args) : says;
    };
    expect(reaches('gmail.reply', { message_id: 'm1', reply_all: false })).toBe(true);
    const share = (type: string) => reaches('google_drive.share_file', { id: 'f1', type, role: 'reader' });
    expect(['user', 'group', 'domain', 'anyone'].map(share)).toEqual([false, false, true, true]);
    expect(reaches('jira.add_comment', { key: 'OPS-1', internal: true })).toBe(false);
  });

  it('can be reconciled where its catalogue row says so', () => {
    expect(failing(({ fn }) => fn.idempotency !== 'reconcile' || fn.reconcile !== undefined)).toEqual([]);
  });

  it('asks by default, but for those with a budget; what cannot be undone is off or asks every time', () => {
    const direct = rows.filter((row) => isWrite(row) && row.fn.approval === 'auto');
    expect(direct.filter(({ fn }) => fn.budgetPerHour === undefined && !HARMLESS.has(nameOfFn(fn)))).toEqual(
      [],
    );
    expect(
      failing(
        ({ fn }) =>
          !/permanently|empty_trash|gdpr/.test(fn.name) ||
          (fn.approval === 'off' && fn.askEveryTime === true),
      ),
    ).toEqual([]);
  });
});

describe('every connector', () => {
  it('is checked against something independent, function by function, or says why not', () => {
    for (const { id } of catalogue) {
      if (id === 'rest') continue;
      const file = new URL(`../contract/verified/${id}.json`, import.meta.url);
      const verified = JSON.parse(readFileSync(file, 'utf8')) as {
        against: string;
        checked: string[];
        unchecked?: Record<string, string>;
      };
      if (verified.checked.length > 0) expect(verified.against, id).toMatch(/ \d+\.\d+/);
      const named = [...verified.checked, ...Object.keys(verified.unchecked ?? {})].sort();
      const own = rows.filter(({ connector }) => connector.id === id).map(({ fn }) => fn.name);
      if (id !== 'mcp') expect(named, id).toEqual(own.sort());
      for (const reason of Object.values(verified.unchecked ?? {})) expect(reason.length).toBeGreaterThan(10);
    }
  });
});

/** Calls that no provider asks consent for. */
const NO_SCOPE: ReadonlySet<string> = new Set(['slack.get_permalink']);
/** Called like some that reach people, and telling nobody. */
const UNREACHED: ReadonlySet<string> = new Set([
  'jira.add_attachment',
  'jira.delete_comment',
  'outlook.create_reply_draft',
  'slack.archive_channel',
]);
/** A write that stops spending. */
const HARMLESS: ReadonlySet<string> = new Set(['cancel_crawl']);
const nameOf = ({ connector, fn }: Row): string => `${connector.id}.${fn.name}`;
const nameOfFn = (fn: FunctionDefinition): string => fn.name;

/** Paths of strings and lists without a limit of their own. Free JSON ($defs) has the body's, 256 KiB. */
function unlimited(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const node = schema as Record<string, unknown>;
  const own =
    (node.type === 'string' &&
      !['maxLength', 'pattern', 'enum', 'const', 'format'].some((key) => key in node)) ||
    (node.type === 'array' && !('maxItems' in node) && !('prefixItems' in node));
  const children = ['properties', 'anyOf', 'oneOf', 'allOf', 'items', 'additionalProperties'].flatMap(
    (key) => {
      const value = node[key];
      if (typeof value !== 'object' || value === null) return [];
      const isNode = key === 'items' || key === 'additionalProperties';
      return isNode
        ? unlimited(value, `${path}/${key}`)
        : Object.entries(value).flatMap(([name, each]) => unlimited(each, `${path}/${name}`));
    },
  );
  return [...(own ? [path] : []), ...children];
}

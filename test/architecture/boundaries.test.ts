/** The house (shared with readers in the README): which room may know which. Every exception stands here with its reason. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Import {
  readonly from: string;
  /** A file of ours without its extension, or a package. */
  readonly to: string;
  /** `type` leaves nothing behind at run time; `dynamic` is loaded when it is reached. */
  readonly kind: 'run' | 'type' | 'dynamic';
}

interface Source {
  readonly path: string;
  readonly code: string;
}

function sourcesOf(room: string): Source[] {
  return readdirSync(`${root}${room}`, { recursive: true, encoding: 'utf8' })
    .map((file) => `${room}/${file.replaceAll('\\', '/')}`)
    .filter((path) => /\.(?:ts|js)$/.test(path))
    .map((path) => ({ path, code: withoutComments(readFileSync(root + path, 'utf8')) }));
}

/** Block comments and comments of whole lines: a sentence about `process.env` is not a use of it. */
function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

const IMPORTS =
  /^(?:import|export)\s+(type\s)?[^'";]*?\sfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm;

function importsOf({ path, code }: Source): Import[] {
  return [...code.matchAll(IMPORTS)].map(([, type, named, bare, dynamic]) => {
    const spec = named ?? bare ?? dynamic ?? '';
    const to = spec.startsWith('.') ? posix.join(posix.dirname(path), spec).replace(/\.[jt]s$/, '') : spec;
    const kind = dynamic === undefined ? (type === undefined ? 'run' : 'type') : 'dynamic';
    return { from: path.replace(/\.[jt]s$/, ''), to, kind };
  });
}

const product = ['src', 'blocks', 'models'].flatMap(sourcesOf);
const playground = sourcesOf('playground');
const imports = [...product, ...playground].flatMap(importsOf);

const lies = (path: string, ...places: readonly string[]): boolean =>
  places.some((place) => path === place || path.startsWith(place.endsWith('/') ? place : `${place}/`));

/** The imports of `rooms` that a rule forbids, as readable lines; `except` maps `from → to` to a reason. */
function violations(
  rooms: readonly string[],
  forbidden: (found: Import) => boolean,
  except: Readonly<Record<string, string>> = {},
): string[] {
  const lines = imports
    .filter(({ from }) => lies(from, ...rooms))
    .filter(forbidden)
    .map(({ from, to }) => `${from} → ${to}`);
  const unused = Object.keys(except).filter((line) => !lines.includes(line));
  return [...lines.filter((line) => !(line in except)), ...unused.map((line) => `no longer needed: ${line}`)];
}

const isOurs = (path: string): boolean =>
  lies(path, 'src', 'blocks', 'models', 'playground', 'scripts', 'test');
const isSlackPackage = (to: string): boolean => to.startsWith('@slack/');
const isHttp = (to: string): boolean => /^(?:fastify|@fastify\/.*|node:https?|undici)$/.test(to);
const isMongo = (to: string): boolean => /^(?:mongoose|mongodb)(?:\/|$)/.test(to);

describe('the reading of imports', () => {
  it('sees the rooms, and each kind of import', () => {
    expect(imports.length).toBeGreaterThan(500);
    for (const room of [
      'src/services',
      'src/slack',
      'src/http',
      'src/connectors',
      'blocks',
      'models',
      'playground',
    ])
      expect(
        imports.some(({ from }) => lies(from, room)),
        room,
      ).toBe(true);
    const code =
      "import type { A } from './a.js';\nimport {\n  b,\n} from 'b';\nexport * from '../c.js';\nimport 'd';\nawait import('./e.js');";
    expect(importsOf({ path: 'src/x/y.ts', code })).toEqual([
      { from: 'src/x/y', to: 'src/x/a', kind: 'type' },
      { from: 'src/x/y', to: 'b', kind: 'run' },
      { from: 'src/x/y', to: 'src/c', kind: 'run' },
      { from: 'src/x/y', to: 'd', kind: 'run' },
      { from: 'src/x/y', to: 'src/x/e', kind: 'dynamic' },
    ]);
  });
});

describe('blocks/', () => {
  it('is pure: no Bolt, no model, nothing of src but types and the ids', () => {
    const allowed = new Set(['src/slack/ids', 'node:crypto']);
    expect(
      violations(['blocks'], ({ to, kind }) => kind !== 'type' && !lies(to, 'blocks') && !allowed.has(to)),
    ).toEqual([]);
    expect(
      violations(
        ['blocks'],
        ({ to, kind }) =>
          kind === 'type' && !lies(to, 'blocks', 'models/types', 'src') && to !== '@slack/types',
      ),
    ).toEqual([]);
  });

  it('shares ids that depend on nothing', () => {
    expect(imports.filter(({ from }) => from === 'src/slack/ids')).toEqual([]);
  });

  it('has no clock, no chance and no way out', () => {
    const outside = /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\brandomUUID\b|\bfetch\(|\bprocess\./;
    const users = product.filter(({ path, code }) => lies(path, 'blocks') && outside.test(code));
    expect(users.map(({ path }) => path)).toEqual([]);
  });

  it('draws everything: what has blocks is not put together in src', () => {
    const drawing = /type: '(?:modal|home|section|header|context|actions|rich_text)'/;
    const users = product.filter(({ path, code }) => lies(path, 'src') && drawing.test(code));
    expect(users.map(({ path }) => path)).toEqual([]);
  });
});

describe('the edges and the rules', () => {
  it('services know neither Slack nor HTTP, and no edge', () => {
    expect(
      violations(
        ['src/services'],
        ({ to }) =>
          isSlackPackage(to) ||
          isHttp(to) ||
          lies(to, 'src/slack', 'src/http', 'src/mcp', 'src/jobs', 'src/admin', 'src/app', 'blocks'),
      ),
    ).toEqual([]);
  });

  it('edges do not know each other', () => {
    const edges = ['src/slack', 'src/http', 'src/mcp', 'src/jobs', 'src/admin'];
    const others = ({ from, to }: Import): boolean => lies(to, ...edges.filter((edge) => !lies(from, edge)));
    expect(
      violations(edges, others, {
        'src/admin/connect → src/slack/clients': 'the command line asks Slack who people are, without Bolt',
        'src/admin/connect → src/slack/directory': 'the same',
      }),
    ).toEqual([]);
  });

  it('only the Slack edge speaks Bolt', () => {
    const places = ['src', 'models', 'playground'];
    expect(
      violations(
        places,
        ({ from, to }) => to.startsWith('@slack/bolt') && !lies(from, 'src/slack', 'src/app'),
      ),
    ).toEqual([]);
  });

  it('jobs are thin: they call services', () => {
    const known = ['agenda', '@agendajs/mongo-backend', 'mongoose', 'src/log', 'src/services', 'src/jobs'];
    expect(violations(['src/jobs'], ({ to }) => !lies(to, ...known))).toEqual([]);
    expect(violations(['src/jobs'], ({ to, kind }) => lies(to, 'src/services') && kind !== 'type')).toEqual(
      [],
    );
  });

  it('connectors reach out through what they are given', () => {
    expect(
      violations(['src/connectors'], ({ to, kind }) => {
        const free = ['src/connectors', 'src/errors', 'src/canonical', 'src/public-address'];
        return (isOurs(to) && kind !== 'type' && !lies(to, ...free)) || isHttp(to) || isMongo(to);
      }),
    ).toEqual([]);
  });

  it('only src/net sends requests of its own', () => {
    expect(violations(['src'], ({ to, from }) => to === 'undici' && !lies(from, 'src/net'))).toEqual([]);
  });
});

describe('the database', () => {
  it('is spoken to through models, src/database and what they hand out', () => {
    expect(
      violations(['src', 'blocks', 'models'], ({ from, to, kind }) => {
        if (!isMongo(to) || lies(from, 'models', 'src/database')) return false;
        return kind !== 'type' || !lies(from, 'src/services', 'src/jobs', 'src/bootstrap', 'src/admin');
      }),
    ).toEqual([]);
  });

  it('has models that know nothing of the product but types', () => {
    expect(
      violations(['models'], ({ to, kind }) => isOurs(to) && !lies(to, 'models') && kind !== 'type'),
    ).toEqual([]);
  });
});

describe('the playground', () => {
  it('knows the product by its validator, and otherwise by its public surfaces', () => {
    expect(
      violations(['playground'], ({ to }) => isOurs(to) && !lies(to, 'playground', 'blocks/validator'), {
        'playground/google-mailboxes → src/connectors/mime':
          'pure: it shows the headers of the stand-in’s mails as RFC 2047 has them',
      }),
    ).toEqual([]);
  });

  it('is loaded by main alone, and only when it is wanted', () => {
    expect(
      violations(
        ['src', 'blocks', 'models'],
        ({ from, to, kind }) => lies(to, 'playground') && !(from === 'src/main' && kind === 'dynamic'),
      ),
    ).toEqual([]);
  });
});

describe('the environment', () => {
  /** Everything else gets its configuration as an argument. */
  const readers: Readonly<Record<string, string>> = {
    'src/main.ts': 'hands the environment to parseConfig',
    'src/admin.ts': 'hands the environment to parseConfig',
    'src/bootstrap.ts': 'finds the programs of the embedded database',
    'src/kill-points.ts': 'crashes on demand under NODE_ENV=test, and is imported everywhere',
    'src/database/mongod-builds.ts':
      'where downloads are kept is the machine’s business (HOME, XDG_CACHE_HOME)',
    'src/database/processes.ts': 'finds `ps` on the PATH',
    'src/connectors/mcp/stdio.ts': 'hands PATH and HOME, and nothing else, to a server that it starts',
  };

  it('is read where that is said', () => {
    const users = product.filter(({ code }) => /\bprocess\.env\b/.test(code)).map(({ path }) => path);
    expect(users.filter((path) => !(path in readers))).toEqual([]);
    expect(Object.keys(readers).filter((path) => !users.includes(path))).toEqual([]);
  });
});

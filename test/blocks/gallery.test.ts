/** The gallery shows everything that the product can draw, exactly as Slack gets it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { validateMessage, validateView } from '../../blocks/validator/index.js';
import type { ViewFixture, ViewFixtures } from '../fixtures/views/fixture.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = (file: string): string => join(root, 'blocks', `${file}.ts`);

/** Exported for handlers to work with: no view and no message comes out of them. */
const PIECES: Readonly<Record<string, string>> = {
  'approval-card#cardBlock': 'the block id of the card’s own buttons',
  'batch#tickBlock': 'the block id of a tick',
  'load-report-picture#loadReportPicture': 'a picture, held by test/slack/report-picture.test.ts',
  'sentence#sentence': 'the blocks of a sentence, for a message that is put together with its address',
  'connections/add#fieldBlock': 'the block id of a field',
  'connections/paused#seenOf': 'the value of a button',
  'connections/functions#functionChoice': 'an option of a menu that is searched',
  'connections/policy#scopeText': 'a few words',
};

/** The files whose exports draw; `parts/` and `inert.ts` are what they draw with. */
const drawingFiles = readdirSync(join(root, 'blocks'), { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/').replace(/\.ts$/, ''))
  .filter((file) => existsSync(source(file)))
  .filter((file) => !/^(?:validator|parts)\/|^inert$/.test(file));

interface Drawing {
  readonly views: Readonly<Record<string, ViewFixtures>>;
  /** `file#name` of every function that a drawing file exports. */
  readonly exported: Set<string>;
  readonly called: Set<string>;
  /** What each of them returned, where Slack would take it for a view or a message. */
  readonly returned: Map<string, Set<unknown>>;
}

const isPayload = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'blocks' in value &&
  (('type' in value && (value.type === 'modal' || value.type === 'home')) || 'text' in value);

/** Draws all fixtures, with every exported function of `blocks/` watched. */
async function drawAll(now: string): Promise<Drawing> {
  const exported = new Set<string>();
  const called = new Set<string>();
  const returned = new Map<string, Set<unknown>>();
  const watch =
    (name: string, draw: (...given: unknown[]) => unknown) =>
    (...given: unknown[]): unknown => {
      called.add(name);
      const result = draw(...given);
      if (isPayload(result)) returned.set(name, (returned.get(name) ?? new Set()).add(result));
      return result;
    };
  vi.resetModules();
  vi.useFakeTimers({ now: new Date(now), toFake: ['Date'] });
  for (const file of drawingFiles) {
    vi.doMock(source(file), async (importOriginal) => {
      const original = await importOriginal<Record<string, unknown>>();
      return Object.fromEntries(
        Object.entries(original).map(([key, value]) => {
          if (typeof value !== 'function') return [key, value];
          exported.add(`${file}#${key}`);
          return [key, watch(`${file}#${key}`, (...given) => Reflect.apply(value, undefined, given))];
        }),
      );
    });
  }
  for (const file of drawingFiles) await import(source(file));
  const { VIEWS } = await import('../fixtures/views/index.js');
  vi.useRealTimers();
  return { views: VIEWS, exported, called, returned };
}

let drawing: Drawing;
let fixtures: [string, ViewFixture][];

beforeAll(async () => {
  drawing = await drawAll('2026-03-12T14:20:00Z');
  fixtures = Object.entries(drawing.views).flatMap(([group, views]) =>
    Object.entries(views).map(([name, fixture]): [string, ViewFixture] => [`${group}/${name}`, fixture]),
  );
});

afterAll(() => {
  for (const file of drawingFiles) vi.doUnmock(source(file));
  vi.resetModules();
});

describe('the gallery', () => {
  it('has a fixture for everything that blocks/ can draw', () => {
    const forgotten = [...drawing.exported].filter((name) => !drawing.called.has(name) && !(name in PIECES));
    expect(forgotten, 'add a fixture in test/fixtures/views/').toEqual([]);
    const stale = Object.keys(PIECES).filter(
      (name) => !drawing.exported.has(name) || drawing.returned.has(name),
    );
    expect(stale).toEqual([]);
  });

  it('shows what each builder returned, not only a part of it', () => {
    const shown = new Set<unknown>(fixtures.map(([, { payload }]) => payload));
    const unseen = [...drawing.returned]
      .filter(([, payloads]) => ![...payloads].some((payload) => shown.has(payload)))
      .map(([name]) => name);
    expect(unseen).toEqual([]);
    expect(drawing.returned.size).toBeGreaterThan(8);
  });

  it('holds only what Slack takes', () => {
    const refused = fixtures.flatMap(([name, { kind, payload }]) =>
      (kind === 'message' ? validateMessage(payload) : validateView(payload)).map(
        (error) => `${name}: ${JSON.stringify(error)}`,
      ),
    );
    expect(refused).toEqual([]);
  });

  it('gives each block with a button or an input an id that stays when it is drawn anew', () => {
    const nameless = fixtures.flatMap(([name, { payload }]) =>
      ('blocks' in payload ? (payload.blocks ?? []) : [])
        .filter((block) => 'accessory' in block || block.type === 'actions' || block.type === 'input')
        .filter(({ block_id }) => !block_id)
        .map(({ type }) => `${name}: ${type}`),
    );
    expect(nameless).toEqual([]);
  });

  it('names each kind for what it is, and gives every message a text', () => {
    const wrong = fixtures.filter(([, { kind, payload }]) =>
      kind === 'message'
        ? !('text' in payload) || payload.text.trim() === ''
        : !('type' in payload) || payload.type !== kind,
    );
    expect(wrong.map(([name]) => name)).toEqual([]);
  });

  it('is the same at any time', async () => {
    const later = await drawAll('2031-07-01T03:00:00Z');
    expect(later.views).toEqual(drawing.views);
  });

  it('stands in docs/gallery as it is drawn now', () => {
    const folder = join(root, 'docs', 'gallery');
    const different = fixtures.filter(([name, { payload }]) => {
      const path = join(folder, `${name}.json`);
      return !existsSync(path) || readFileSync(path, 'utf8') !== `${JSON.stringify(payload, null, 2)}\n`;
    });
    expect(
      different.map(([name]) => name),
      'run `npm run gallery`, and look at the pictures',
    ).toEqual([]);
  });
});

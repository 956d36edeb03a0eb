/** The load report's picture: drawn, and shared where Slack takes it. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadReportPicture } from '../../blocks/load-report-picture.js';
import type { LoadReport } from '../../models/types.js';
import { type Person, person } from '../../playground/slack/person.js';
import { renderPng } from '../../src/slack/picture.js';
import { createWorld, until, type World } from '../harness/app-process.js';

const COUNTS = { asked: 3, approved: 1, denied: 1, expired: 1, cancelled: 0, quick: 0, medianMs: 90_000 };
const report = (name: string, asked = 3): LoadReport => ({
  from: new Date('2026-01-05T09:00:00Z'),
  to: new Date('2026-01-12T09:00:00Z'),
  cut: false,
  days: [{ day: '2026-01-05', asked }],
  totals: { ...COUNTS, asked },
  functions: asked > 0 ? [{ connectionKey: 'helpdesk', function: name, ...COUNTS }] : [],
  suggestions: [],
});

/** Width and height, from the header (PNG specification, 11.2.2). */
const sizeOf = (png: Uint8Array): [number, number] => {
  const view = new DataView(png.buffer, png.byteOffset);
  expect([...png.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
  return [view.getUint32(16), view.getUint32(20)];
};

describe('the picture', () => {
  it('names its numbers, and is a PNG twice its size', async () => {
    const svg = loadReportPicture(report('create_ticket'));
    for (const said of ['3 approval requests in seven days', 'create_ticket', '3 · 2 min', 'Mon'])
      expect(svg).toContain(said);
    const [width, height] = sizeOf(await renderPng(svg));
    expect(width).toBe(1_920);
    expect(height).toBe(2 * Number(/height="(\d+)"/.exec(svg)?.[1]));
  });

  it.each(['<script>alert(1)</script>', '"><image href="http://x/"/>', '&amp; \u0000\u001b\ud800 ]]>'])(
    'shows a hostile name as it is: %j',
    async (name) => {
      const svg = loadReportPicture(report(name));
      expect(svg.match(/<(?!\/?(?:svg|rect|text|path)\b)/g)).toBeNull();
      expect((await renderPng(svg)).length).toBeGreaterThan(1_000);
    },
  );

  it('of a week without requests is drawn too; of no picture there is an error', async () => {
    sizeOf(await renderPng(loadReportPicture(report('', 0))));
    await expect(renderPng('no picture')).rejects.toThrow();
  });
});

describe('in Slack', () => {
  let world: World;
  let ada: Person;
  let close: () => Promise<void>;

  beforeAll(async () => {
    world = await createWorld({ mongoUri: inject('mongoUri') });
    const looking = await world.services();
    close = looking.close;
    await looking.services.outbox.notify('U0ADA', { kind: 'load_report', report: report('create_ticket') });
    ada = person(world.slack, 'U0ADA', { patienceMs: 15_000 });
  });
  afterAll(async () => {
    await close();
    await world.close();
  });

  const shared = () => ada.dm().filter(({ files }) => files?.length);

  it('it follows the weekly report in the DM, once', async () => {
    await world.start();
    await ada.waitForMessage(/Approvals of the last seven days/);
    await until(() => shared().length > 0, 15_000);
    expect(shared()).toMatchObject([
      { text: expect.stringContaining('as a picture'), files: [{ name: 'approvals-2026-01-12.png' }] },
    ]);
    const [file] = [...world.slack.workspace.files.values()];
    expect(sizeOf(file?.bytes ?? new Uint8Array())[0]).toBe(1_920);
    expect(world.slack.workspace.violations).toEqual([]);
  });
});

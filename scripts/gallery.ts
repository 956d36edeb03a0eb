/**
 * `npm run gallery`: writes every message, modal and Home view that the product can draw to `docs/gallery/`, as the
 * exact payload and, where a browser is installed, as the playground's page shows it.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { servePage } from '../playground/page.js';
import { withIds } from '../playground/slack/elements.js';
import type { Fields } from '../playground/slack/protocol.js';
import { APP } from '../playground/slack/seed.js';
import { createSlackServer, type SlackServer } from '../playground/slack/server.js';
import { openView, viewMethods } from '../playground/slack/views.js';
import { NOW, type ViewFixture } from '../test/fixtures/views/fixture.js';
import { VIEWS } from '../test/fixtures/views/index.js';
import { findBrowser, launchBrowser } from './browser.js';
import { projectFolder } from './project-folder.js';

type Theme = 'light' | 'dark';

/** Everything that means by colour is looked at in the dark as well. */
const ALSO_DARK = new Set([
  'approval-card/pending',
  'approval-card/pending-destructive',
  'approval-card/pending-hostile',
  'approval-card/done',
  'approval-card/details',
  'authorization/connect',
  'executions/detail',
  'home/full',
  'connections/detail/ready',
]);
/** There to be held to Slack's limits; nobody looks at fifty rows of the same. */
const isForLimits = (name: string): boolean => name.endsWith('crowded');
const READER = 'U0BEN';
const WIDTH = 1_000;
const WIDEST = 720;
const TALLEST_MODAL = 1_100;
const MARGIN = 8;
const folder = join(projectFolder(), 'docs', 'gallery');

interface Entry {
  /** `approval-card/pending`. */
  readonly name: string;
  readonly fixture: ViewFixture;
}

const entries: readonly Entry[] = Object.entries(VIEWS).flatMap(([group, fixtures]) =>
  Object.entries(fixtures).map(([name, fixture]) => ({ name: `${group}/${name}`, fixture })),
);

function write(name: string, content: string | Uint8Array): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** What belongs to no fixture any more. */
function removeStale(): void {
  const known = new Set(entries.map(({ name }) => name));
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const name = file.replaceAll('\\', '/').replace(/(?:\.end)?(?:\.dark)?\.(?:png|json)$/, '');
    const unwanted = !known.has(name) || (file.endsWith('.png') && isForLimits(name));
    if (/\.(?:png|json)$/.test(file) && unwanted) rmSync(join(folder, file));
  }
}

/** A workspace that holds nothing but one view or message, and the page that shows it. */
class Stage {
  private constructor(
    private readonly slack: SlackServer,
    private readonly page: Page,
    private readonly origin: string,
  ) {}

  static async open(page: Page): Promise<{ stage: Stage; close: () => Promise<void> }> {
    const slack = createSlackServer({ clock: () => NOW.getTime() });
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (!servePage(pathname, response)) slack.handle(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the gallery has no port');
    const close = async (): Promise<void> => {
      slack.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    return { stage: new Stage(slack, page, `http://127.0.0.1:${address.port}`), close };
  }

  /** Opens the page in one theme, at the place where messages or the Home view are seen. */
  async turn(theme: Theme): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme });
    await this.page.clock.setFixedTime(NOW);
    await this.page.goto(`${this.origin}/playground/`);
  }

  /** The pictures of one fixture: one, or two when the view has to be scrolled. */
  async shoot({ kind, payload }: ViewFixture): Promise<Uint8Array[]> {
    const selector = this.put(kind, payload as unknown as Fields);
    await this.page.setViewportSize({ width: WIDTH, height: 700 });
    const place = kind === 'home' ? 'home' : `D${READER.slice(1)}`;
    await this.page.goto(`${this.origin}/playground/#/${READER}/${place}`);
    const target = this.page.locator(selector);
    await target.waitFor();
    return kind === 'modal' ? this.shootModal(selector) : [await this.shootWhole(selector, kind)];
  }

  private put(kind: ViewFixture['kind'], payload: Fields): string {
    const { workspace } = this.slack;
    workspace.stacks.clear();
    workspace.messages.clear();
    workspace.homes.clear();
    if (kind === 'home') {
      const { view } = viewMethods.publish(workspace, { user_id: READER, view: payload });
      return `[data-view-id="${(view as Fields).id}"]`;
    }
    if (kind === 'modal') return `[data-view-id="${openView(workspace, READER, payload).id}"]`;
    const { id: channel } = workspace.dmOf(READER);
    const blocks = withIds(payload.blocks);
    const message = workspace.addMessage({ channel, user: APP.bot_user, text: String(payload.text), blocks });
    workspace.changed();
    return `.message[data-ts="${message.ts}"]`;
  }

  private async shootWhole(selector: string, kind: ViewFixture['kind']): Promise<Uint8Array> {
    const target = this.page.locator(selector);
    const box = await target.boundingBox();
    await this.page.setViewportSize({ width: WIDTH, height: Math.ceil((box?.height ?? 0) + 400) });
    return this.clip(selector, kind === 'home' ? MARGIN : 0);
  }

  private async shootModal(selector: string): Promise<Uint8Array[]> {
    const body = this.page.locator(`${selector} .modal-body`);
    const rest = await this.page.locator(selector).evaluate((form) => {
      const inside = form.querySelector('.modal-body');
      return inside ? form.clientHeight - inside.clientHeight + inside.scrollHeight : form.clientHeight;
    });
    await this.page.setViewportSize({ width: WIDTH, height: Math.min(rest, TALLEST_MODAL) + 120 });
    await this.page.evaluate('document.activeElement?.blur()');
    const scrolls = await body.evaluate((inside) => inside.scrollHeight > inside.clientHeight + 1);
    const top = await this.clip(selector, MARGIN);
    if (!scrolls) return [top];
    await body.evaluate((inside) => inside.scrollTo(0, inside.scrollHeight));
    return [top, await this.clip(selector, MARGIN)];
  }

  private async clip(selector: string, margin: number): Promise<Uint8Array> {
    const box = await this.page.locator(selector).boundingBox();
    if (!box) throw new Error(`${selector} is not on the page`);
    return this.page.screenshot({
      clip: {
        x: Math.max(0, box.x - margin),
        y: Math.max(0, box.y - margin),
        width: Math.min(box.width, WIDEST) + 2 * margin,
        height: box.height + 2 * margin,
      },
    });
  }
}

async function takePictures(executable: string): Promise<number> {
  const browser = await launchBrowser(executable);
  let count = 0;
  try {
    for (const theme of ['light', 'dark'] as const) {
      const page = await browser.newPage();
      const { stage, close } = await Stage.open(page);
      await stage.turn(theme);
      for (const { name, fixture } of entries) {
        if (isForLimits(name) || (theme === 'dark' && !ALSO_DARK.has(name))) continue;
        const pictures = await stage.shoot(fixture);
        for (const [at, picture] of pictures.entries()) {
          write(`${name}${at === 0 ? '' : '.end'}${theme === 'dark' ? '.dark' : ''}.png`, picture);
          count += 1;
        }
      }
      await page.close();
      await close();
    }
  } finally {
    await browser.close();
  }
  return count;
}

/** An index with the pictures that are there. */
function index(): string {
  const files = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/')),
  );
  const groups = Object.entries(VIEWS).map(([group, fixtures]) => {
    const views = Object.entries(fixtures).map(([name, { kind }]) => {
      const stem = `${group}/${name}`;
      const pictures = ['', '.end', '.dark', '.end.dark']
        .filter((suffix) => files.has(`${stem}${suffix}.png`))
        .map((suffix) => `<img alt="${name}${suffix.replaceAll('.', ', ')}" src="${stem}${suffix}.png">`);
      return `### ${name}\n\n${kind} · [payload](${stem}.json)\n\n${pictures.join('\n')}`;
    });
    return `## ${group}\n\n${views.join('\n\n')}`;
  });
  return `# Gallery\n\nEverything that the product draws in Slack, made by \`npm run gallery\` from \`test/fixtures/views/\`. The pictures show the playground's page; Slack's own differ in type and colour.\n\n${groups.join('\n\n')}\n`;
}

async function main(): Promise<void> {
  for (const { name, fixture } of entries)
    write(`${name}.json`, `${JSON.stringify(fixture.payload, null, 2)}\n`);
  removeStale();
  const executable = findBrowser(process.env);
  const pictures = executable ? await takePictures(executable) : 0;
  write('README.md', index());
  const about = executable
    ? `${pictures} pictures`
    : 'no pictures: no browser was found (CHROMIUM names one)';
  console.log(`docs/gallery: ${entries.length} payloads, ${about}`);
}

await main();

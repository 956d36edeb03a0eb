/** Draws one message, modal or Home view as the playground's page shows it, and photographs it. */
import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import { servePage } from '../playground/page.js';
import { withIds } from '../playground/slack/elements.js';
import type { Fields } from '../playground/slack/protocol.js';
import { APP } from '../playground/slack/seed.js';
import { createSlackServer, type SlackServer } from '../playground/slack/server.js';
import { openView, viewMethods } from '../playground/slack/views.js';
import { NOW, type ViewFixture } from '../test/fixtures/views/fixture.js';

export type Theme = 'light' | 'dark';

const READER = 'U0BEN';
const WIDTH = 1_000;
const WIDEST = 720;
const TALLEST_MODAL = 1_100;
const MARGIN = 8;

/** A workspace that holds nothing but one view or message, and the page that shows it. */
export class Stage {
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
    if (typeof address !== 'object' || address === null) throw new Error('the stage has no port');
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

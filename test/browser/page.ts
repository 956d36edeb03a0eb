/** The playground's page, driven as a newcomer would: by what is written on it. */
import type { Locator, Page } from 'playwright-core';

/** As the product writes it: a label may say that its field is optional. */
const field = (label: string): RegExp =>
  new RegExp(`^${label.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}( \\(optional\\))?$`);

/** What a person sees: text that is hidden is not read, and lines are lines. */
export function read(shown: Locator): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: hidden text is in textContent, too.
  return shown.innerText();
}

export type Name = 'Ada' | 'Ben' | 'Cleo' | 'Dana';
export type Place = '#general' | '#approvals' | '#random' | 'DM';

export interface Ask {
  /** As the list has it: `create_ticket · needs approval`. */
  readonly function: string;
  readonly arguments?: object;
  readonly onBehalfOf?: Name;
  readonly reason?: string;
}

export class Playground {
  readonly sidebar: Locator;
  readonly composer: Locator;
  readonly agent: Locator;
  readonly agentResult: Locator;
  readonly outsideWorld: Locator;

  constructor(readonly page: Page) {
    this.sidebar = page.getByRole('navigation', { name: 'Channels and direct messages' });
    this.composer = page.getByRole('combobox', { name: /^Message / });
    this.agent = page.locator('#agent');
    this.agentResult = page.locator('#agent-result');
    this.outsideWorld = page.locator('#outside');
  }

  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.ready();
  }

  private ready(): Promise<void> {
    return this.page.locator('[data-ready=true]').waitFor();
  }

  /** The colour that the page writes in: it tells light from dark. */
  ink(): Promise<string | undefined> {
    const body = this.page.locator('main');
    return body.evaluate((node) => node.ownerDocument.defaultView?.getComputedStyle(node).color);
  }

  async become(name: Name): Promise<void> {
    const person = this.page
      .getByRole('group', { name: 'You are' })
      .getByRole('button', { name: new RegExp(`^${name} `) });
    await person.click();
    await this.page.locator(`.person[aria-pressed=true]`).filter({ hasText: name }).waitFor();
    await this.ready();
  }

  async goTo(place: Place): Promise<void> {
    const row =
      place === 'DM'
        ? this.sidebar.locator('[data-channel^=D]')
        : this.sidebar.getByRole('button', { name: new RegExp(`^${place.slice(1)}\\b`) });
    await row.click();
    await this.sidebar.locator('[aria-current=page]').and(row).waitFor();
  }

  async openHome(): Promise<Locator> {
    await this.sidebar.locator('[data-app=home]').click();
    const home = this.page.locator('#home .home-blocks');
    await home.waitFor();
    return home;
  }

  /** Types it and presses Enter. */
  async command(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The latest message here that says all of this, as soon as there is one. */
  async message(...words: readonly (string | RegExp)[]): Promise<Locator> {
    let found = this.page.getByRole('article');
    for (const word of words) found = found.filter({ hasText: word });
    await found.last().waitFor();
    return found.last();
  }

  /** Every word that the person looking can find: in each channel, in the DM and on the Home. */
  async allThatIsShown(): Promise<string> {
    const texts: string[] = [];
    for (const place of ['#general', '#approvals', '#random', 'DM'] as const) {
      await this.goTo(place);
      const messages = this.page.getByRole('region', { name: 'Messages' });
      await messages.getByRole('heading', { level: 3 }).first().waitFor();
      texts.push(await read(messages));
    }
    texts.push(await read(await this.openHome()));
    return texts.join('\n');
  }

  /** The modal on top, by its title and, where that is not enough, by what it says. */
  async dialog(title: string, words: string | RegExp = ''): Promise<Dialog> {
    const shown = this.page.getByRole('dialog', { name: title, exact: true }).filter({ hasText: words });
    await shown.waitFor();
    return new Dialog(this.page, shown);
  }

  async noDialog(): Promise<void> {
    await this.page.locator('#overlay').waitFor({ state: 'hidden' });
  }

  /** Escape, until no modal is left. */
  async escapeAll(): Promise<void> {
    const titles = this.page.getByRole('dialog').getByRole('heading', { level: 2 });
    while ((await titles.count()) > 0) {
      const view = this.page.locator(
        `[data-view-id="${await this.page.getByRole('dialog').getAttribute('data-view-id')}"]`,
      );
      await this.page.keyboard.press('Escape');
      await view.waitFor({ state: 'detached' });
    }
    await this.noDialog();
  }

  /** A link opens a tab of its own; what is returned is that tab. */
  async follow(link: Locator): Promise<Page> {
    const opening = this.page.context().waitForEvent('page');
    await link.click();
    const tab = await opening;
    await tab.waitForLoadState();
    return tab;
  }

  /** The one-time page behind a link of a modal: types each secret where its label says, and stores it. */
  async enterSecret(link: Locator, secrets: Readonly<Record<string, string>>): Promise<void> {
    const form = await this.follow(link);
    for (const [label, value] of Object.entries(secrets)) await form.getByLabel(label).fill(value);
    await form.getByRole('button', { name: 'Store it' }).click();
    await form.getByRole('heading', { name: 'Stored' }).waitFor();
    await form.close();
  }

  /** Lets the first caller of a connection call everything that is turned on. */
  async giveAccess(key: string, caller: string): Promise<void> {
    await this.command(`/connections access ${key}`);
    await (await this.dialog('Access', 'No caller may use it yet')).press('Give access');
    const form = await this.dialog('Give access', 'What it may call');
    await form.choose('Caller', caller);
    await form.press('Save');
    await (await this.dialog('Access', new RegExp(`Access is saved[\\s\\S]*${caller}`))).escape();
  }

  /** Fills in the sample agent's form and sends it. */
  async ask({ function: name, arguments: values, onBehalfOf, reason = '' }: Ask): Promise<void> {
    await this.agent.getByLabel('Connection and function').selectOption({ label: name });
    if (values) await this.agent.getByLabel('Arguments (JSON)').fill(JSON.stringify(values));
    const member = onBehalfOf ? `${onBehalfOf.toLowerCase()}@siesta.example` : '';
    await this.agent.getByLabel('On behalf of').fill(member);
    await this.agent.getByLabel('Reason').fill(reason);
    await this.agent.getByRole('button', { name: 'Send the call' }).click();
  }

  /** The sample agent's answer, once it stands like this. */
  async answer(status: string): Promise<string> {
    const stands = this.page.locator(`#agent-result[data-status="${status}"]`);
    await stands.waitFor();
    return read(stands);
  }

  /** A value that the “Try this” panel offers to be copied. */
  offered(label: string): Promise<string> {
    const row = this.page.locator('#guide').getByRole('button', { name: `Copy ${label}`, exact: true });
    return read(row.locator('xpath=..').locator('code'));
  }
}

export class Dialog {
  constructor(
    private readonly page: Page,
    readonly root: Locator,
  ) {}

  /** Types into fields, by their labels. */
  async fill(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, value] of Object.entries(values)) await this.root.getByLabel(field(label)).fill(value);
  }

  /** Chooses in a select menu; a menu of many choices stays open until Escape. */
  async choose(label: string, ...options: readonly string[]): Promise<void> {
    const menu = this.root.getByRole('combobox', { name: field(label) });
    await menu.click();
    for (const option of options) await this.root.getByRole('option', { name: option }).first().click();
    if ((await menu.getAttribute('aria-expanded')) === 'true') await menu.press('Escape');
  }

  async tick(kind: 'radio' | 'checkbox', name: RegExp): Promise<void> {
    await this.root.getByRole(kind, { name }).check();
  }

  /** The first checkbox below these words: a list has many of one name. */
  async tickBelow(words: string): Promise<void> {
    const said = this.root.locator('.block').filter({ hasText: words }).first();
    await said.locator('xpath=following::input[@type="checkbox"][1]').check();
  }

  /** Takes a choice out of a menu of many. */
  async takeOut(choice: string): Promise<void> {
    await this.root.getByRole('button', { name: `Remove ${choice}` }).click();
  }

  /** What stands in a field now. */
  value(label: string): Promise<string> {
    return this.root.getByLabel(field(label)).inputValue();
  }

  /** A button with these words on it: the cross in the corner has a name, and no words. */
  async press(button: string): Promise<void> {
    const named = this.root.getByRole('button', { name: button, exact: true });
    await named.filter({ hasText: button }).click();
  }

  link(name: string): Locator {
    return this.root.getByRole('link', { name });
  }

  /** The complaint under a field. */
  async complaint(label: string): Promise<string> {
    const alert = this.root
      .locator('[data-input]')
      .filter({ has: this.page.getByText(field(label)) })
      .getByRole('alert');
    await alert.waitFor();
    return read(alert);
  }

  text(): Promise<string> {
    return read(this.root);
  }

  async escape(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.root.waitFor({ state: 'detached' });
  }
}

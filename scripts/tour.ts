/** A newcomer at the playground's page: types commands, fills modals in, clicks cards, and watches. */
import type { BrowserContext, Locator, Page } from 'playwright-core';

export type Person = 'U0ADA' | 'U0BEN' | 'U0CLEO' | 'U0DANA';

interface Services {
  readonly helpdesk: { readonly base_url: string; readonly openapi_url: string; readonly api_key: string };
}

const TICKET = {
  subject: 'Printer on floor 3 is out of toner',
  body: 'The big one beside the kitchen.\n\nSam needs it before the board meeting at 15:00.',
  requester: 'sam@customer.example',
  priority: 'high',
};
const REASON = 'Sam wrote to #it-help that the printer is empty and asked me to file it.';

export class Tour {
  constructor(
    private readonly page: Page,
    private readonly context: BrowserContext,
    private readonly origin: string,
  ) {}

  /** Becomes a person at a place: a channel's id, `home`, or the DM with the app. */
  async go(person: Person, place: string): Promise<void> {
    await this.page.goto(`${this.origin}/playground/#/${person}/${place}`);
    await this.page.locator('[data-ready=true]').waitFor();
  }

  async command(text: string): Promise<void> {
    await this.page.locator('#composer').fill(text);
    await this.page.locator('#composer-send').click();
  }

  /** The modal on top, as soon as it says this. */
  async modal(words: string | RegExp): Promise<Locator> {
    const shown = this.page.locator('form.modal:visible').filter({ hasText: words });
    await shown.waitFor();
    return shown;
  }

  private async choose(modal: Locator, label: string, option: string): Promise<void> {
    const field = modal.getByLabel(label, { exact: false }).first();
    await field.click();
    await modal.getByRole('option', { name: option }).first().click();
    // A menu of many stays open for the next choice.
    if ((await field.getAttribute('aria-expanded')) === 'true') await field.press('Escape');
  }

  private async submit(modal: Locator): Promise<void> {
    await modal.locator('[data-modal=submit]').click();
  }

  async closeModal(): Promise<void> {
    const overlay = this.page.locator('#overlay');
    while (await overlay.isVisible()) {
      await this.page.locator('form.modal:visible [data-modal=dismiss]').click();
      await this.page.waitForTimeout(200);
    }
  }

  /** Opens a link of a modal as the browser would, and does something with the page behind it. */
  private async visit<T>(link: Locator, act: (page: Page) => Promise<T>): Promise<T> {
    const opening = this.context.waitForEvent('page');
    await link.click();
    const page = await opening;
    await page.waitForLoadState();
    const result = await act(page);
    await page.close();
    return result;
  }

  /** Step 2: the helpdesk, with Ben as its approver. */
  async addHelpdesk(): Promise<void> {
    const answer = await fetch(`${this.origin}/playground/services`);
    const { helpdesk } = (await answer.json()) as Services;
    await this.go('U0ADA', 'C0GENERAL');
    await this.command('/connections add');
    const first = await this.modal('Connector');
    await this.choose(first, 'Connector', 'REST API');
    const form = await this.modal('OpenAPI document');
    await form.getByRole('radio', { name: 'Shared' }).check();
    await this.choose(form, 'How it signs in', 'API key');
    await form.getByLabel(/^Name(?: \(optional\))?$/).fill('Helpdesk - Support - tickets');
    await form.getByLabel('Key (optional)').fill('helpdesk');
    await form.getByLabel('Purpose').fill('Support agents read and file tickets');
    await this.choose(form, 'Business owner', 'Dana');
    await form.getByLabel('OpenAPI document').fill(helpdesk.openapi_url);
    await form.getByLabel('Base URL').fill(helpdesk.base_url);
    await this.submit(form);
    const functions = await this.modal('Functions to turn on');
    for (const name of ['list_tickets', 'create_ticket'])
      await this.choose(functions, 'Functions to turn on', name);
    await this.submit(functions);
    const question = await this.modal('Also post the card to a channel');
    await this.choose(question, 'Approvers', 'Ben');
    await this.choose(question, 'Also post the card to a channel', '#approvals');
    await this.submit(question);
    const credential = this.page.locator('form.modal:visible a[href*="/secrets/"]');
    await this.visit(credential, async (page) => {
      await page.locator('[name=api_key]').fill(helpdesk.api_key);
      await page.locator('form button').last().click();
      await page.waitForLoadState();
    });
    await this.closeModal();
  }

  /** Step 3: the caller, its access, and its token in the sample agent's form. */
  async registerCaller(): Promise<void> {
    await this.command('/connections callers add');
    const form = await this.modal('Stage');
    await form.getByLabel(/^Name(?: \(optional\))?$/).fill('Support agent');
    await this.submit(form);
    const link = this.page.locator('form.modal:visible a[href*="/secrets/token/"]');
    const token = await this.visit(link, async (page) => {
      await page.locator('form button').last().click();
      await page.waitForLoadState();
      return /siesta_[A-Za-z0-9]+/.exec(await page.content())?.[0];
    });
    if (token === undefined) throw new Error('the page shows no token');
    await this.closeModal();
    await this.command('/connections access helpdesk');
    await (await this.modal('Give access')).getByRole('button', { name: 'Give access' }).click();
    const access = await this.modal('What it may call');
    await this.choose(access, 'Caller', 'Support agent');
    await this.submit(access);
    await this.modal('Support agent');
    await this.closeModal();
    await this.page.locator('#agent-token').fill(token);
  }

  /** Step 4: the agent asks. */
  async ask(name: 'list_tickets' | 'create_ticket'): Promise<void> {
    const select = this.page.locator('#agent-function');
    const option = select.locator('option').filter({ hasText: name });
    await option.waitFor({ state: 'attached' });
    await select.selectOption((await option.getAttribute('value')) ?? '');
    const write = name === 'create_ticket';
    if (write) await this.page.locator('#agent-arguments').fill(JSON.stringify(TICKET, null, 2));
    await this.page.locator('#agent-reason').fill(write ? REASON : '');
    await this.page.locator('#agent-send').click();
    const status = write ? 'pending_approval' : 'succeeded';
    await this.page.locator(`#agent-result[data-status="${status}"]`).waitFor();
  }

  /** Step 5: the card, where Ben reads it. */
  async card(): Promise<Locator> {
    const card = this.page.locator('.message').filter({ hasText: TICKET.subject }).last();
    await card.waitFor();
    return card;
  }
}

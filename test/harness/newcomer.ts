/** A person who connects an account: from the link in Slack through the provider's pages to the code, and done. */
import type { Person } from '../../playground/slack/person.js';
import type { View } from '../../playground/slack/protocol.js';
import { type Page, Visitor, wordsOf } from '../../playground/visitor.js';

export interface Journey {
  readonly account: string;
  /** Scopes whose boxes she leaves out. */
  readonly without?: readonly string[];
  /** Where she turns back instead. */
  readonly cancelAt?: 'login' | 'consent';
}

/** The link in a message or modal. */
export function linkIn(shown: unknown, kind: 'oauth/start' | 'secrets' = 'oauth/start'): string {
  const link = new RegExp(`http[^"\\\\]*/${kind}/[\\w-]+`).exec(JSON.stringify(shown))?.[0];
  if (!link) throw new Error(`there is no link to ${kind}`);
  return link;
}

/** @returns the browser, and the page of ours on which the provider's left her */
export async function signIn(link: string, journey: Journey): Promise<{ browser: Visitor; page: Page }> {
  const browser = new Visitor();
  const login = await browser.submit(await browser.open(link));
  if (journey.cancelAt === 'login') return { browser, page: await browser.submit(login, {}, 'cancel') };
  const consent = await browser.submit(login, { account: journey.account });
  if (journey.cancelAt === 'consent') return { browser, page: await browser.submit(consent, {}, 'cancel') };
  const boxes = [...consent.html.matchAll(/name="scope" value="([^"]+)"/g)].map(([, scope = '']) => scope);
  const scope = boxes.filter((each) => !journey.without?.includes(each));
  return { browser, page: await browser.submit(consent, { scope }, 'name="scope"') };
}

/** Types the code from the DM; ticks every caller that waits. @returns the last page */
async function finish(who: Person, arrived: { browser: Visitor; page: Page }): Promise<Page> {
  const allow = [...arrived.page.html.matchAll(/name="allow"[^>]*value="([^"]+)"/g)].map(([, id = '']) => id);
  return arrived.browser.submit(arrived.page, { code: await codeOf(who), allow });
}

async function codeOf(who: Person): Promise<string> {
  const dm = await who.waitForMessage(/\b\d{3} \d{3}\b/);
  return (/\b(\d{3}) (\d{3})\b/.exec(who.text(dm)) ?? []).slice(1).join('');
}

/** What the connection still needs, as its detail view leads there; the modal stays open. */
export async function openCredentialStep(
  who: Person,
  key: string,
  fits = /\/(secrets|oauth\/start)\//,
): Promise<View> {
  await who.command(`/connections show ${key}`);
  await who.waitForView((view) => who.text(view).includes(`\`${key}\``));
  await who.click('modal', 'connection.secret_link');
  return who.waitForView((view) => fits.test(JSON.stringify(view)));
}

/** As `openCredentialStep`, and closed again. The link of the OAuth client comes first. */
export async function credentialStep(who: Person, key: string, fits?: RegExp): Promise<View> {
  const view = await openCredentialStep(who, key, fits);
  await who.close(true);
  return view;
}

/** All the way. @returns the words of the page between provider and code, and of the last one */
export async function connect(
  who: Person,
  link: string,
  journey: Journey,
): Promise<{ readonly arrived: string; readonly done: string; readonly html: string }> {
  const there = await signIn(link, journey);
  const done = await finish(who, there);
  return { arrived: wordsOf(there.page), done: wordsOf(done), html: there.page.html + done.html };
}

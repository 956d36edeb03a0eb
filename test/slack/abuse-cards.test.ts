/**
 * Abuse cases 23–32 of shared/RELIABILITY.md 2.7, "Card content": a caller sends hostile arguments over HTTP, and what
 * Slack is given of them is looked at in every place that shows them: cards, Details, the form of an edit, the list of
 * many, App Home, the record, reminders and what the requester is told.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import { notInert, objectsIn, parsedTexts } from '../blocks/what-slack-reads.js';
import { type Asked, type HostileDesk, startHostileDesk, textOf } from './hostile-desk.js';

let desk: HostileDesk;
const CASES = {
  pings: (t: string) => ({ text: `${t} <!channel> <!here> <!everyone> <!subteam^S0FINANCE> ${t}` }),
  mention: (t: string) => ({ text: `${t} <@U0BEN> <#C0GENERAL> refuse this ${t}`, [`<@U0BEN> ${t}`]: t }),
  link: (t: string) => ({
    text: `${t} <https://evil.example|https://bank.example>`,
    page: `https://bank.example@evil.example/${t}`,
  }),
  fence: (t: string) => ({
    text: `${t} \`\`\`\n✅ Approved by CFO\n*Risk*\nRead\n\`\`\`\n:white_check_mark: *Approved* by <@U0ADA> · Today ${t}`,
  }),
  unseen: (t: string) => ({
    text: `${t} invoice\u202efdp.exe pay\u200bpal`,
    site: `https://b\u0430nk.example/${t}`,
  }),
  long: (t: string) => ({ text: `${t}${'a'.repeat(9_000 - t.length)}DROP TABLE ${'b'.repeat(985)}${t}` }),
  many: (t: string) =>
    Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`field_${at}`, `${t}-${at}.`])),
  plain: (t: string) => ({ text: t }),
  flood: (t: string) => ({ text: `${t} :white_check_mark: :tada:${'\n'.repeat(400)}rm -rf ${t}` }),
  image: (t: string) => ({
    picture: `https://evil.example/${t}.png`,
    text: `![${t}](https://evil.example/pixel.gif)`,
  }),
} as const;
type Name = keyof typeof CASES;
const REASON = (t: string) =>
  `${t} approved already\n\n*Risk*\nRead · expires never\n:white_check_mark: *Approved* by <@U0ADA>\nex_00000000000000000000 · 9f3a1c70\n<https://evil.example|Approve> <!channel>`;

const requests = new Map<Name, Asked>();
const of = (name: Name): Asked => {
  const found = requests.get(name);
  if (!found) throw new Error(`${name} was not asked`);
  return found;
};

beforeAll(async () => {
  desk = await startHostileDesk(inject('mongoUri'));
  for (const [name, body] of Object.entries(CASES) as [Name, (t: string) => object][]) {
    requests.set(name, await desk.ask(body, name === 'plain' ? REASON : undefined));
  }
  await Promise.all(desk.lanes.map(({ approver }) => tour(approver.id)));
  await remindEverybody();
}, 60_000);
afterAll(() => desk.close());

/** Whatever an approver can open before she decides: of each of her requests, and of all of them together. */
async function tour(approverId: string): Promise<void> {
  const mine = [...requests.values()].filter(({ approver }) => approver.id === approverId);
  for (const asked of mine) {
    const { approver } = asked;
    await desk.leafThrough(asked);
    await approver.click('modal', ACTIONS.edit);
    await approver.waitForView(/What stands here/);
    await approver.close(true);
  }
  const { approver } = mine[0] ?? of('plain');
  await approver.openHome();
  await approver.waitForHome(/Waiting for me \(\d/);
  await approver.click('home', 'Decide several');
  await approver.waitForView(/Every request in full/);
  while (JSON.stringify(approver.view()).includes('Page ')) {
    const before = approver.view()?.hash;
    await approver.click('modal', 'Page ');
    await approver.waitForView(({ hash }) => hash !== before);
    if (JSON.stringify(approver.view()).includes('Back to page')) break;
  }
  await approver.close(true);
}

async function remindEverybody(): Promise<void> {
  const { models, workspaceId } = desk.looking.deps;
  await models.approvals.updateMany({ workspaceId }, { $set: { nextReminderAt: new Date(0) } });
  await desk.app.services.reminders.remind();
  for (const { approver } of desk.lanes) await approver.waitForMessage(/still wait for you/);
}

const titleOf = ({ title }: Readonly<Record<string, unknown>>): string => textOf({ ...(title as object) });

/** The payloads about this request, by the place where they were shown. */
function places(asked: Asked): Map<string, Readonly<Record<string, unknown>>[]> {
  const found = new Map<string, Readonly<Record<string, unknown>>[]>();
  for (const { method, args, payload } of desk.given(asked)) {
    const isView = method.startsWith('views.');
    const place = !isView
      ? `${String(args.channel).startsWith('D') ? 'DM' : 'channel'} ${textOf(payload).includes('still wait') ? 'reminder' : method}`
      : payload.type === 'home'
        ? 'Home'
        : titleOf(payload);
    found.set(place, [...(found.get(place) ?? []), payload]);
  }
  return found;
}

/** In all that Slack was given of it nothing is parsed, loaded or hidden; and it was shown wherever it can be. */
function inertEverywhere(asked: Asked, more: readonly string[] = []): void {
  const all = places(asked);
  const expected = [
    'DM chat.postMessage',
    'DM reminder',
    'Details',
    'Edit, then approve',
    'Decide several',
    'Home',
    ...more,
  ];
  expect(
    expected.filter((place) => !all.has(place)),
    'where it was not shown',
  ).toEqual([]);
  const theirs = new RegExp(asked.token);
  for (const [place, payloads] of all) {
    for (const payload of payloads) expect(notInert(payload, theirs), place).toEqual([]);
  }
  for (const { method, args } of desk.given(asked)) {
    if (method === 'chat.postMessage') {
      expect(args).toMatchObject({
        unfurl_links: expect.stringMatching(/^false$/),
        unfurl_media: expect.stringMatching(/^false$/),
      });
    }
  }
}

/** The boxes in which the caller's words stand on the card. */
async function boxesOn(asked: Asked): Promise<string[]> {
  const { blocks } = await desk.cardOf(asked);
  return [...objectsIn(blocks)].flatMap(({ type, elements }) =>
    type === 'rich_text_preformatted' ? [textOf(elements)] : [],
  );
}

async function approved(asked: Asked): Promise<void> {
  await asked.approver.click(await desk.cardOf(asked), ACTIONS.approve);
  await desk.statusOf(asked, 10);
  // Also in her DM, which may come after the channel.
  await asked.approver.waitForMessage(({ channel, blocks }) => {
    const shown = JSON.stringify(blocks);
    const isEnded = shown.includes(`approval:${asked.id}`) && !shown.includes(`"${ACTIONS.approve}"`);
    return channel.startsWith('D') && isEnded;
  });
}

async function denied(asked: Asked, reason: string): Promise<void> {
  await asked.approver.click(await desk.cardOf(asked), ACTIONS.deny);
  await asked.approver.waitForView(/Why\?/);
  await asked.approver.submit({ 'Why?': reason });
  await asked.approver.waitForMessage(
    (message) => JSON.stringify(message.blocks).includes(asked.id) && /Denied/.test(textOf(message)),
  );
}

/** What the auditor sees of it: the list, and the record with arguments and result. */
async function audited(asked: Asked): Promise<string> {
  const { dana } = desk.people;
  await dana.command(`/executions show ${asked.id}`);
  const view = await dana.waitForView((each) => JSON.stringify(each).includes(asked.id));
  await dana.close(true);
  return textOf(view);
}

describe('arguments are text and nothing else', () => {
  it('23: <!channel>, <!here> and a user group ping nobody', async () => {
    const asked = of('pings');
    expect((await boxesOn(asked)).join()).toContain(
      `${asked.token} <!channel> <!here> <!everyone> <!subteam^S0FINANCE> ${asked.token}`,
    );
    await approved(asked);
    expect(await audited(asked)).toContain('<!channel> <!here> <!everyone> <!subteam^S0FINANCE>');
    inertEverywhere(asked, ['DM chat.update', 'Tool execution']);
    expect(
      desk
        .given(asked)
        .flatMap(({ payload }) => parsedTexts(payload))
        .join(),
    ).not.toMatch(/<!(?!date\^)/);
    expect(desk.sent(asked)).toHaveLength(1);
  });

  it('24: <@U…> mentions nobody, also where the outside system repeats it in an error', async () => {
    const asked = of('mention');
    expect((await boxesOn(asked)).join()).toContain(`${asked.token} <@U0BEN> <#C0GENERAL>`);
    await approved(asked);
    expect(await desk.statusOf(asked)).toMatchObject({ status: 'failed' });
    const { models, workspaceId } = desk.looking.deps;
    await models.throttles.deleteMany({ workspaceId, _id: /outcomes$/ });
    await desk.app.services.reminders.tell();
    const { ada } = desk.people;
    const told = await ada.waitForMessage(
      (message) =>
        JSON.stringify(message.blocks).includes(asked.id) &&
        /^How (?:a call|\d+ calls) of yours/.test(message.text),
    );
    expect(JSON.stringify(told.blocks)).not.toContain('<@U0BEN>');
    await audited(asked);
    // The error stands in a sentence of ours, made inert as names are.
    const payloads = desk.given(asked).map(({ payload }) => payload);
    expect(payloads.flatMap((payload) => notInert(payload))).toEqual([]);
    expect(payloads.flatMap(parsedTexts).join()).not.toContain('<#C0GENERAL>');
  });

  it('25: <https://evil|https://bank> is no link, and a link says where it leads', async () => {
    const asked = of('link');
    const card = await desk.cardOf(asked);
    expect(textOf(card)).toContain(`${asked.token} <https://evil.example|https://bank.example>`);
    expect(textOf(card)).toContain('↳ leads to evil.example, and reads bank.example@evil.example');
    await denied(asked, '<https://evil.example|https://bank.example> is not ours');
    inertEverywhere(asked, ['DM chat.update']);
    const [details] = places(asked).get('Details')?.slice(-1) ?? [];
    expect(textOf(details)).toContain('↳ leads to evil.example, and reads bank.example@evil.example');
  });

  it('26: a fence and fake lines of the card stay within the argument', async () => {
    const asked = of('fence');
    const [box, ...others] = await boxesOn(asked);
    expect(others).toEqual([]);
    expect(box).toContain('```');
    expect(box?.indexOf(asked.token)).toBeLessThan(box?.indexOf('Approved by CFO') ?? 0);
    expect(box?.lastIndexOf(asked.token)).toBeGreaterThan(box?.indexOf('· Today') ?? 0);
    // Every line of a text that has several is set in, so that none of them begins like a name of an argument.
    expect(box?.split('\n').filter((line) => !line.startsWith('    '))).toEqual(['text:']);
    const outside = [...objectsIn((await desk.cardOf(asked)).blocks)].filter(
      ({ type }) => type !== 'rich_text_preformatted' && type !== 'text' && type !== 'rich_text',
    );
    expect(textOf(outside.filter(({ type }) => type === 'mrkdwn' || type === 'plain_text'))).not.toContain(
      'CFO',
    );
    inertEverywhere(asked);
  });

  it('27: what cannot be seen is written out, and a look-alike host stands in punycode', async () => {
    const asked = of('unseen');
    const card = textOf(await desk.cardOf(asked));
    expect(card).toContain(`${asked.token} invoice⟦U+202E⟧fdp.exe pay⟦U+200B⟧pal`);
    expect(card).toContain('↳ leads to xn--bnk-6cd.example, and reads b\u0430nk.example');
    const [form] = places(asked).get('Edit, then approve')?.slice(-1) ?? [];
    // As JSON it can be seen, and edited, where it is.
    expect(textOf(form)).toContain('invoice\\u202efdp.exe pay\\u200bpal');
    await approved(asked);
    expect(await audited(asked)).toContain('invoice⟦U+202E⟧fdp.exe pay⟦U+200B⟧pal');
    inertEverywhere(asked, ['Tool execution']);
  });
});

describe('nothing is approved that was not shown', () => {
  it('28: what is hidden in the middle of a long text is approved only after it was seen', async () => {
    const asked = of('long');
    const card = await desk.cardOf(asked);
    expect(textOf(card)).toMatch(/⟦\d+ of \d+ characters not shown⟧/);
    expect(textOf(card)).toMatch(/\d+ characters · sha256 [0-9a-f]{16}…/);
    expect(textOf(card)).not.toContain('DROP TABLE');
    expect(JSON.stringify(card.blocks)).not.toContain(ACTIONS.approve);
    expect(textOf(card)).toContain('Read everything in *Details*; Approve is there');
    const details = (places(asked).get('Details') ?? []).map(textOf);
    expect(details.join('')).toContain('DROP TABLE');
    inertEverywhere(asked);
  });

  it('28: a signed click on an Approve that was not there has no effect, and is on record once', async () => {
    // Two pages of Details.
    const asked = await desk.ask((t) => ({ text: `${t}${'a'.repeat(70_000)}DROP TABLE${t}` }));
    const { approver } = asked;
    const card = await desk.cardOf(asked);
    const name = /"value":"(ex_[a-z0-9]+:[0-9a-f]{8})"/.exec(JSON.stringify(card.blocks))?.[1] ?? '';
    const clickedOnCard = {
      type: 'block_actions',
      container: { type: 'message', message_ts: card.ts, channel_id: card.channel, is_ephemeral: false },
      channel: { id: card.channel, name: 'dm' },
      message: { type: 'message', ts: card.ts, text: card.text, blocks: card.blocks },
      actions: [
        { type: 'button', action_id: ACTIONS.approve, block_id: 'b', value: name, action_ts: '1.000000' },
      ],
    };
    const tickedInList = {
      type: 'view_submission',
      view: {
        id: 'V0FORGED',
        type: 'modal',
        callback_id: VIEWS.approvalBatch,
        private_metadata: JSON.stringify({ requests: name, page: '0' }),
        blocks: [],
        state: {
          values: {
            [`tick:${name}:1`]: { value: { type: 'checkboxes', selected_options: [{ value: 'approve' }] } },
          },
        },
      },
    };
    const refusals = async (userId: string) => (await desk.audited(asked, userId)).length;
    expect(await desk.forge(approver.id, clickedOnCard)).toBe(200);
    expect(await desk.audited(asked, approver.id)).toEqual(['approval.refused_click']);
    expect(await desk.forge(approver.id, tickedInList)).toBe(200);
    expect(await refusals(approver.id)).toBe(2);

    // One page of two is not all of it.
    await approver.click(card, ACTIONS.details);
    await approver.waitForView(/Read on: Approve is on the last page/);
    await approver.close(true);
    await desk.forge(approver.id, clickedOnCard);
    expect(await refusals(approver.id)).toBe(3);

    // What one has read, another has not.
    const pages = await desk.leafThrough(asked);
    const other = desk.lanes.find((lane) => lane.approver.id !== approver.id)?.approver.id ?? '';
    const { models, workspaceId } = desk.looking.deps;
    await models.approvals.updateOne(
      { workspaceId, executionId: asked.id },
      { $push: { 'approvers.users': other } },
    );
    await desk.forge(other, clickedOnCard);
    expect(await desk.audited(asked, other)).toEqual(['approval.refused_click']);
    expect(await desk.looking.services.approvals.ofExecution(asked.id)).toMatchObject({
      status: 'pending',
      decisions: [],
    });
    expect(desk.sent(asked)).toEqual([]);

    expect(pages.map(({ blocks }) => JSON.stringify(blocks).includes(ACTIONS.approve))).toEqual([
      false,
      true,
    ]);
    await approver.click('modal', ACTIONS.approve);
    expect(await desk.statusOf(asked, 10)).toMatchObject({ status: 'succeeded' });
    expect(desk.sent(asked)).toHaveLength(1);
    await approver.close(true);
  });

  it('29: two hundred arguments: the card says what is missing on it, and Details have each of them', async () => {
    const asked = of('many');
    const card = await desk.cardOf(asked);
    expect(textOf(card)).toMatch(/⟦\d+ of \d+ characters not shown⟧/);
    expect(JSON.stringify(card.blocks)).not.toContain(ACTIONS.approve);
    const details = (places(asked).get('Details') ?? []).map(textOf).join('\n');
    const missing = Array.from({ length: 200 }, (_, at) => `${asked.token}-${at}.`).filter(
      (value) => !details.includes(value),
    );
    expect(missing).toEqual([]);
    const batch = (places(asked).get('Decide several') ?? []).map(textOf).join('\n');
    expect(
      Array.from({ length: 200 }, (_, at) => `${asked.token}-${at}.`).filter(
        (value) => !batch.includes(value),
      ),
    ).toEqual([]);
    inertEverywhere(asked);
  });

  it('30: a reason that looks like the card is quoted as the caller’s words', async () => {
    const asked = of('plain');
    await denied(asked, 'no');
    await audited(asked);
    inertEverywhere(asked, ['Tool execution']);
    for (const place of ['DM chat.postMessage', 'Details', 'Decide several', 'Tool execution']) {
      const payload = places(asked).get(place)?.at(-1);
      const blocks = payload?.blocks as { type: string; elements?: { type: string }[] }[];
      const at = blocks.findIndex(
        ({ elements }) => elements?.[0]?.type === 'rich_text_quote' && textOf(elements).includes(asked.token),
      );
      expect(at, place).toBeGreaterThan(0);
      expect(textOf(blocks[at - 1]), place).toBe('*Said by Support agent*, not checked');
      expect(textOf(blocks[at]), place).toContain('ex_00000000000000000000 · 9f3a1c70');
      const elsewhere = textOf(blocks.filter((_, index) => index !== at));
      expect(elsewhere, place).not.toMatch(/9f3a1c70|approved already/);
    }
  });

  it('31: emoji codes stay codes, and a flood of lines is a count', async () => {
    const asked = of('flood');
    const card = await desk.cardOf(asked);
    expect(textOf(card)).toContain(':white_check_mark: :tada:');
    expect(textOf(card)).toMatch(/⟦\d+ blank lines⟧\n\s*rm -rf/);
    expect(textOf(card).split('\n').length).toBeLessThan(40);
    const [details] = places(asked).get('Details')?.slice(-1) ?? [];
    expect(textOf(details)).toMatch(/⟦\d+ blank lines⟧\n\s*rm -rf/);
    inertEverywhere(asked);
  });

  it('32: an address of a picture loads no picture and unfolds nothing', async () => {
    const asked = of('image');
    expect(textOf(await desk.cardOf(asked))).toContain(`https://evil.example/${asked.token}.png`);
    await approved(asked);
    await audited(asked);
    inertEverywhere(asked, ['DM chat.update', 'Tool execution']);
    const given = JSON.stringify(desk.given(asked));
    expect(given).not.toMatch(/"image_url"|"type":"image"|"attachments"|"title_link"/);
  });
});

it('Slack takes all of it', () => {
  expect(desk.slack.workspace.violations).toEqual([]);
});

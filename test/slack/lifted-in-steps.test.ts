/** Lifting the kill switch: `/connections resume all` says where it stands, and only what is pressed there goes on. */
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import { until } from '../harness/app-process.js';
import { type SignedSlack, startSignedSlack } from '../harness/signed-slack.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;

let slack: SignedSlack;
let ada: Person;
let eve: Person;
let pauses = 0;
/** What the answer to the command says before anything is lifted. */
let paused: RegExp;

beforeAll(async () => {
  slack = await startSignedSlack(inject('mongoUri'));
  const { slack: server } = slack.world;
  const url = [`${slack.origin}/slack/events`];
  server.deliverTo({ mode: 'http', url, signingSecret: server.signingSecret });
  ada = person(server, 'U0ADA', { patienceMs: 15_000 });
  eve = person(server, slack.member('U50EVE', { real_name: 'Eve' }), { patienceMs: 15_000 });
  await slack.looking.services.settings.change(ADA, { admins: ['U0ADA', eve.id] });
});
beforeEach(async () => {
  pauses += 1;
  paused = new RegExp(`Everything is paused.*Ada.*Wild agent ${pauses}`);
  await slack.looking.services.pauses.pause(ADA, { kind: 'all' }, `Wild agent ${pauses}`, 'freeze');
});
afterAll(async () => {
  expect(slack.world.slack.workspace.violations).toEqual([]);
  await slack.close();
});

const lifted = async () => (await slack.looking.services.settings.get()).resuming ?? null;
/** What only she sees as the answer to the command. */
async function stands(who: Person, fits: RegExp): Promise<Message> {
  await who.command('/connections resume all');
  return who.waitForMessage((message) => message.ephemeral === true && fits.test(who.text(message)));
}
const shows = (who: Person, fits: RegExp) => who.waitForMessage((message) => fits.test(who.text(message)));

it('says where it stands as often as somebody asks, and lifts nothing by itself', async () => {
  await stands(ada, paused);
  await stands(eve, paused);
  expect(await lifted()).toBeNull();
  await ada.click(await stands(ada, paused), 'Resume reads');
  await shows(ada, /Step 1 of 3/);
  const hers = await stands(eve, /Step 1 of 3/);
  expect(await lifted()).toBe('reads');
  await eve.click(hers, 'Next: what needs approval');
  await shows(eve, /Step 2 of 3/);
  await ada.click(await stands(ada, /Step 2 of 3/), 'Next: the rest');
  await shows(ada, /Everything runs again/);
  expect((await slack.looking.services.settings.get()).paused).toBeNull();
  await stands(ada, /no pause of everything/);
});

it('goes one step where two press at once, and tells the second what is next now', async () => {
  const [hers, other] = [await stands(ada, paused), await stands(eve, paused)];
  await Promise.all([ada.click(hers, 'Resume reads'), eve.click(other, 'Resume reads')]);
  const said = [/^(?!.*Somebody else).*Step 1 of 3/s, /^.*Somebody else went on.*Step 1 of 3/s];
  await until(() => {
    const texts = [ada.text(ada.current(hers)), eve.text(eve.current(other))];
    return said.every((fits) => texts.some((text) => fits.test(text)));
  }, 15_000);
  expect(await lifted()).toBe('reads');
});

it('does not go on from a button of an earlier pause', async () => {
  const old = await stands(ada, paused);
  await slack.looking.services.pauses.pause(ADA, { kind: 'all' }, 'Still wild', 'freeze');
  await ada.click(old, 'Resume reads');
  await until(() => /Somebody else went on.*Still wild/s.test(ada.text(ada.current(old))), 15_000);
  expect(await lifted()).toBeNull();
});

it('is for admins only, also where the button is somebody else’s', async () => {
  const value = await stands(ada, paused);
  const button = JSON.stringify(value.blocks).match(/"value":"([^"]+)"/)?.[1] ?? '';
  expect(button).not.toBe('');
  await slack.click('U0BEN', 'pause.resume_next', button);
  const { models } = slack.looking.deps;
  await until(
    async () =>
      (await models.auditEvents.countDocuments({ action: 'slack.refused', 'actor.id': 'U0BEN' })) > 0,
    15_000,
  );
  expect(await lifted()).toBeNull();
});

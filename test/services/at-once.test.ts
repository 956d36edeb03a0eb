/** What several processes write at the same moment for the first time is there once, and none of them fails. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

const AT_ONCE = Array.from({ length: 40 }, (_, each) => each);

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());

describe('at the same moment', () => {
  it('one copy of a card is asked for', async () => {
    for (let round = 0; round < 10; round += 1) {
      const subject = `ex_round${round}`;
      await Promise.all(AT_ONCE.map(() => app.services.outbox.show('approval', subject, 'U0BEN', null)));
      expect(await app.models.outbox.countDocuments({ workspaceId: 'T0TEST', subjectId: subject })).toBe(1);
    }
  });

  it('Slack tells several senders when to come back, and the latest counts', async () => {
    const now = Date.now();
    for (let round = 0; round < 10; round += 1) {
      const method = `method-${round}`;
      await Promise.all(
        AT_ONCE.map((each) => app.services.outbox.block(method, new Date(now + each * 1000))),
      );
      expect(await app.services.outbox.blockedUntil(method)).toEqual(new Date(now + 39_000));
    }
  });

  it('every pause has a number of its own', async () => {
    await app.models.settings.deleteMany({ workspaceId: 'T0TEST' });
    const versions = await Promise.all(AT_ONCE.map(() => app.services.settings.nextPauseVersion()));
    expect(new Set(versions).size).toBe(AT_ONCE.length);
  });
});

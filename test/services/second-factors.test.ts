/** A second proof: set up in the browser, used once, guessed at five times, replaced only by who has it. */
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createServices } from '../../src/services/index.js';
import type { SecondFactorService } from '../../src/services/second-factors.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';

const STEP_MS = 30_000;
let app: PagesApp;
let now: number;
let factors: SecondFactorService;
let other: SecondFactorService;
const secrets: string[] = [];

beforeAll(async () => {
  app = await startPagesApp();
  const clock = { ...app.deps.clock, now: () => new Date(now) };
  factors = createServices({ ...app.deps, clock }).secondFactors;
  other = createServices({ ...app.deps, clock, processId: 'another' }).secondFactors;
});
afterAll(() => app.close());
beforeEach(async () => {
  await app.models.secondFactors.deleteMany({});
  now = Date.now();
});

const codeOf = (secret: string, at = now): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: at });
const wrong = (secret: string): string =>
  ['000000', '111111', '222222', '333333'].find(
    (each) => ![-1, 0, 1].some((step) => codeOf(secret, now + step * STEP_MS) === each),
  ) ?? '';
const tokenIn = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

async function enrol(memberId: string): Promise<string> {
  const token = tokenIn(await factors.begin(memberId, null));
  const { secret } = await factors.show(token);
  secrets.push(secret);
  await factors.confirm(token, codeOf(secret));
  now += STEP_MS;
  return secret;
}

async function events(memberId: string): Promise<string[]> {
  const found = await app.models.auditEvents.find({ 'subject.id': memberId }).sort({ at: 1 }).lean();
  return found.map(({ action }) => action);
}

describe('the page', () => {
  it('shows no secret before the button, a QR code after it, and takes the first code', async () => {
    const { begin } = { begin: await app.services.secondFactors.begin('U0BEN', null) };
    const browser = app.browser();
    const asked = await browser.get(begin);
    expect(asked.status).toBe(200);
    expect(asked.text).not.toContain('<svg');

    const shown = await browser.post(begin, {});
    expect(shown.text).toContain('<svg');
    const secret = (/id="secret">([^<]+)</.exec(shown.text)?.[1] ?? '').replaceAll(' ', '');
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(await app.services.secondFactors.enrolledSince('U0BEN')).toBeNull();
    expect(shown.headers.get('cache-control')).toBe('no-store');

    const refused = await browser.post(begin, { code: wrong(secret) });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('That code is not right');
    const done = await browser.post(begin, { code: codeOf(secret, Date.now()) });
    expect(done.status).toBe(200);
    expect(await app.services.secondFactors.enrolledSince('U0BEN')).toBeInstanceOf(Date);
    expect((await browser.get(begin)).status).toBe(410);
    expect(await events('U0BEN')).toEqual(['second_factor.set_up']);
    expect((await app.notices('U0BEN')).join()).toContain('second proof is set up');
    // Sealed at rest, and neither logged nor told.
    expect(await app.dump()).not.toContain(secret);
    expect(app.log.text).not.toContain(secret);
  });

  it('is for who is still a member', async () => {
    const url = await app.services.secondFactors.begin('U0DANA', null);
    app.directory.change('U0DANA', { active: false });
    expect((await app.browser().get(url)).status).toBe(403);
    app.directory.change('U0DANA', { active: true });
  });
});

describe('a code', () => {
  it('works once, whatever the number of processes', async () => {
    const secret = await enrol('U0BEN');
    const code = codeOf(secret);
    const results = await Promise.all(
      [factors, other, factors, other].map((service) => service.prove('U0BEN', code)),
    );
    expect(results.filter((each) => each === 'ok')).toHaveLength(1);
    expect(await factors.prove('U0BEN', code)).toBe('used');
  });

  it('of enrolment is used up by it', async () => {
    const secret = await enrol('U0BEN');
    expect(await factors.prove('U0BEN', codeOf(secret, now - STEP_MS))).toBe('used');
  });

  it('counts one step early or late, and no further', async () => {
    const secret = await enrol('U0BEN');
    now += 10 * STEP_MS;
    expect(await factors.prove('U0BEN', codeOf(secret, now - 2 * STEP_MS))).toBe('wrong');
    expect(await factors.prove('U0BEN', codeOf(secret, now + 2 * STEP_MS))).toBe('wrong');
    expect(await factors.prove('U0BEN', codeOf(secret, now - STEP_MS))).toBe('ok');
    expect(await factors.prove('U0BEN', codeOf(secret, now + STEP_MS))).toBe('ok');
    // One before it is over, although nobody used it.
    expect(await factors.prove('U0BEN', codeOf(secret))).toBe('used');
  });

  it('of somebody else, and what is no code, is wrong', async () => {
    await enrol('U0BEN');
    const hers = await enrol('U0CLEO');
    expect(await factors.prove('U0BEN', codeOf(hers))).toBe('wrong');
    expect(await factors.prove('U0BEN', '')).toBe('wrong');
    expect(await factors.prove('U0BEN', '12345６')).toBe('wrong');
    expect(await factors.prove('U0ADA', '123456')).toBe('none');
  });

  it('can be guessed five times in ten minutes, through all processes together', async () => {
    const secret = await enrol('U0BEN');
    const tries = await Promise.all(
      Array.from({ length: 12 }, (_, at) => (at % 2 ? factors : other).prove('U0BEN', wrong(secret))),
    );
    expect(tries.filter((each) => each === 'wrong')).toHaveLength(5);
    expect(tries.filter((each) => each === 'throttled')).toHaveLength(7);
    expect(await factors.prove('U0BEN', codeOf(secret))).toBe('throttled');
    now += 10 * 60_000 + 1_000;
    expect(await factors.prove('U0BEN', codeOf(secret))).toBe('ok');
  });
});

describe('a change', () => {
  it('needs a code of the present one', async () => {
    const secret = await enrol('U0BEN');
    await expect(factors.begin('U0BEN', null)).rejects.toMatchObject({ path: '/code' });
    await expect(factors.begin('U0BEN', wrong(secret))).rejects.toMatchObject({ path: '/code' });
    await expect(factors.remove('U0BEN', wrong(secret))).rejects.toMatchObject({ path: '/code' });
    expect(await factors.enrolledSince('U0BEN')).not.toBeNull();

    const token = tokenIn(await factors.begin('U0BEN', codeOf(secret)));
    const { secret: next } = await factors.show(token);
    now += STEP_MS;
    expect(await factors.prove('U0BEN', codeOf(secret))).toBe('ok');
    await factors.confirm(token, codeOf(next));
    now += STEP_MS;
    expect(await factors.prove('U0BEN', codeOf(secret))).toBe('wrong');
    await factors.remove('U0BEN', codeOf(next));
    expect(await factors.enrolledSince('U0BEN')).toBeNull();
  });

  it('does not come from a link that is older than what it would replace', async () => {
    const old = tokenIn(await factors.begin('U0CLEO', null));
    const { secret: attackers } = await factors.show(old);
    const own = await enrol('U0CLEO');
    await expect(factors.confirm(old, codeOf(attackers))).rejects.toMatchObject({ reason: 'used' });
    expect(await factors.prove('U0CLEO', codeOf(own))).toBe('ok');
  });

  it('an admin makes for others, never for herself, and everybody is told', async () => {
    await enrol('U0BEN');
    await enrol('U0ADA');
    await expect(factors.reset('U0CLEO', 'U0BEN', 'x')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(factors.reset('U0ADA', 'U0ADA', 'x')).rejects.toMatchObject({ code: 'forbidden' });
    await factors.reset('U0ADA', 'U0BEN', 'phone lost, called back');
    expect(await factors.enrolledSince('U0BEN')).toBeNull();
    expect(await factors.enrolledSince('U0ADA')).not.toBeNull();
    expect((await app.notices('U0BEN')).join()).toContain('reset your second proof');
    expect(await events('U0BEN')).toContain('second_factor.reset');
    await expect(factors.reset('U0ADA', 'U0BEN', 'x')).rejects.toMatchObject({ code: 'not_found' });
  });
});

it('no secret and no code was ever logged or stored readable', async () => {
  const kept = (await app.dump()) + app.log.text;
  expect(secrets.length).toBeGreaterThan(5);
  for (const secret of secrets) expect(kept).not.toContain(secret);
});

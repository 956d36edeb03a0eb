import { describe, expect, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { type Facts, hasAccess, reasonToRefuse, stopped } from '../../src/services/recheck.js';
import { approval, caller, connection, credential, execution, fn, NOW, settings } from './documents.js';

const PAUSE = { by: 'U0ADA', at: NOW, reason: 'maintenance' };

function facts(given: Partial<Facts> = {}): Facts {
  return {
    settings: settings(),
    connection: connection(),
    caller: caller(),
    fn: fn(),
    definitionHash: 'definition',
    credential: credential(),
    approval: approval(),
    memberAllows: true,
    ...given,
  };
}

it('nothing changed: no reason', () => {
  expect(reasonToRefuse(execution(), facts(), false)).toBeNull();
});

describe('one fact is no longer true', () => {
  it.each<[string, Partial<Facts>, RegExp]>([
    ['connection gone', { connection: null }, /connection was removed/],
    ['connection removed', { connection: connection({ status: 'removed' }) }, /connection was removed/],
    ['caller gone', { caller: null }, /no longer active/],
    ['caller revoked', { caller: caller({ status: 'revoked' }) }, /no longer active/],
    ['caller’s owner', { caller: caller({ ownerId: 'U0DANA' }) }, /caller has another owner/],
    ['everything paused', { settings: settings({ paused: PAUSE }) }, /Everything is paused: maintenance/],
    ['app removed', { settings: settings({ slack: 'removed' }) }, /removed from Slack/],
    ['connection paused', { connection: connection({ paused: PAUSE }) }, /“Helpdesk” is paused/],
    ['caller paused', { caller: caller({ paused: PAUSE }) }, /This caller is paused/],
    ['draft again', { connection: connection({ status: 'draft' }) }, /is a draft/],
    ['no access', { connection: connection({ access: [] }) }, /no access any more/],
    ['connection’s owner', { connection: connection({ ownerId: 'U0DANA' }) }, /connection has another owner/],
    ['function off', { fn: null }, /turned off/],
    ['definition', { definitionHash: 'another' }, /definition of the function changed/],
    ['credential replaced', { credential: credential({ generation: 2 }) }, /credential was replaced/],
    ['credential gone', { credential: null }, /credential was replaced/],
    ['credential refused', { credential: credential({ status: 'needs_reauth' }) }, /needs to be reconnected/],
    ['approval gone', { approval: null }, /no approval/],
    ['approval denied', { approval: approval({ status: 'denied' }) }, /no approval/],
    ['approvals too few', { approval: approval({ quorum: 2 }) }, /too few/],
    ['approval of another call', { approval: approval({ bindingHash: 'another' }) }, /for another call/],
  ])('%s', (_, changed, reason) => {
    expect(reasonToRefuse(execution(), facts(changed), false)).toMatch(reason);
  });

  it('a denial among the decisions is no approval', () => {
    const decisions = [{ userId: 'U0BEN', decision: 'denied' as const, reason: null, at: NOW }];
    expect(reasonToRefuse(execution(), facts({ approval: approval({ decisions }) }), false)).toMatch(
      /too few/,
    );
  });

  it('an approval without the second proof that was asked for', () => {
    const first = { userId: 'U0BEN', decision: 'approved' as const, reason: null, at: NOW };
    const asked = (...decisions: (typeof first & { proof?: 'totp' })[]) =>
      facts({ approval: approval({ stepUp: 'totp', decisions, quorum: decisions.length }) });
    const proven = { ...first, proof: 'totp' as const };
    expect(reasonToRefuse(execution(), asked(proven), false)).toBeNull();
    expect(reasonToRefuse(execution(), asked(first), false)).toMatch(/lacks its second proof/);
    expect(reasonToRefuse(execution(), asked(proven, { ...first, userId: 'U0CLEO' }), false)).toMatch(
      /lacks its second proof/,
    );
  });
});

describe('a call made for a member', () => {
  const hers: Partial<ExecutionDocument> = { onBehalfOf: 'U0CLEO', subject: 'U0CLEO' };

  it('runs while she allows it', () => {
    expect(reasonToRefuse(execution(hers), facts(), false)).toBeNull();
  });

  it('is refused once she does not, and never uses somebody else’s identity', () => {
    expect(reasonToRefuse(execution(hers), facts({ memberAllows: false }), false)).toMatch(
      /no longer allows/,
    );
    expect(reasonToRefuse(execution({ ...hers, subject: 'U0BEN' }), facts(), false)).toMatch(/does not fit/);
    expect(reasonToRefuse(execution({ subject: 'U0BEN' }), facts(), false)).toMatch(/does not fit/);
  });
});

it('a call that was not to be asked about needs no approval', () => {
  expect(reasonToRefuse(execution({ requirement: 'none' }), facts({ approval: null }), false)).toBeNull();
});

describe('access', () => {
  it('is denied by default, and may be narrowed to functions', () => {
    const narrowed = connection({ access: [{ callerId: 'cal_1', functions: ['list_tickets'] }] });
    expect(hasAccess(connection(), 'cal_1', 'create_ticket')).toBe(true);
    expect(hasAccess(connection(), 'cal_2', 'create_ticket')).toBe(false);
    expect(hasAccess(narrowed, 'cal_1', 'create_ticket')).toBe(false);
    expect(hasAccess(narrowed, 'cal_1', 'list_tickets')).toBe(true);
    const none = connection({ access: [{ callerId: 'cal_1', functions: [] }] });
    expect(hasAccess(none, 'cal_1', 'list_tickets')).toBe(false);
  });
});

describe('what stops everything', () => {
  it('a test caller may use a draft, a production caller may not', () => {
    const draft = connection({ status: 'draft' });
    expect(stopped(settings(), draft, caller({ stage: 'test' }), execution())).toBeNull();
    expect(stopped(settings(), draft, caller(), execution())).toMatchObject({ code: 'not_ready' });
  });

  it.each([
    [null, { read: false, asked: false, write: false }],
    ['reads', { read: true, asked: false, write: false }],
    ['asks', { read: true, asked: true, write: false }],
  ] as const)('everything is lifted in steps: %s', (resuming, runs) => {
    const lifted = settings({ paused: PAUSE, resuming });
    const stands = (call: Partial<ExecutionDocument>) =>
      stopped(lifted, connection(), caller(), execution(call)) === null;
    expect({
      read: stands({ risk: 'read', requirement: 'none' }),
      asked: stands({ risk: 'write', requirement: 'required' }),
      write: stands({ risk: 'write', requirement: 'none' }),
    }).toEqual(runs);
    // A pause of its own holds besides.
    const own = stopped(
      lifted,
      connection({ paused: PAUSE }),
      caller(),
      execution({ risk: 'read', requirement: 'none' }),
    );
    expect(own?.code).toBe('paused');
  });

  it('the widest pause is the one that is named', () => {
    const all = stopped(
      settings({ paused: PAUSE }),
      connection({ paused: PAUSE }),
      caller({ paused: PAUSE }),
      execution(),
    );
    expect(all).toEqual({ code: 'paused', message: 'Everything is paused: maintenance' });
  });
});

/** Grants: made by a person from an approved request, used exactly as often as she said, never where somebody has to be asked. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ExecutionDocument, GrantDocument, PolicyRule } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import type { JsonValue } from '../../src/connectors/framework.js';
import { shortHash } from '../../src/services/binding.js';
import { canBeLimited, scopeChoices, scopeFits, scopeOf } from '../../src/services/grant-scope.js';
import type { GrantTerms } from '../../src/services/grant-terms.js';
import { answers } from '../../src/services/grants.js';
import { evaluate } from '../../src/services/policy.js';
import { createWorld, type Seeded, seedHelpdesk, until, type World } from '../harness/app-process.js';
import { approve, sent } from '../harness/writes.js';
import { connection, execution, fn, NOW, rule } from './documents.js';

let world: World;
let here: Connected;
let there: Connected;
let seeded: Seeded;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  here = await world.services();
  there = await world.services();
});
afterAll(async () => {
  await here.close();
  await there.close();
  await world.close();
});

async function seed(name: string, change: Partial<PolicyRule> = {}): Promise<void> {
  seeded = await seedHelpdesk(here, world.helpdesk, { approvers: ['U0BEN'], name });
  if (Object.keys(change).length === 0) return;
  const found = await here.services.connections.find(seeded.connectionId);
  if (!found) throw new Error('not seeded');
  const rules = found.policy.rules.map((each) => ({ ...each, ...change }));
  await here.services.connections.setPolicy({ kind: 'user', id: 'U0ADA' }, found, rules);
}

async function submit(
  app: Connected,
  subject: string,
  requester = 'sam@example.com',
  key: string = randomUUID(),
): Promise<ExecutionDocument> {
  const caller = await app.services.callers.get(seeded.callerId);
  if (!caller) throw new Error('the caller is gone');
  const { execution: submitted } = await app.services.submissions.submit(caller, {
    connection: seeded.connectionId,
    function: 'create_ticket',
    arguments: { subject, body: 'Floor 3', requester },
    onBehalfOf: null,
    reason: null,
    idempotencyKey: key,
  });
  return submitted;
}

const cardOf = ({ _id, bindingHash }: ExecutionDocument) => ({
  executionId: _id,
  hash: shortHash(bindingHash ?? ''),
});

/** A grant from an approved request, limited to the argument `requester`. */
async function granted(
  terms: 'hour' | { uses: number },
  kind: 'equals' | 'domain' = 'equals',
): Promise<GrantDocument> {
  const first = await submit(here, `first ${randomUUID()}`);
  expect(first.status).toBe('pending_approval');
  await approve(here, first);
  const { choices } = await here.services.grants.offer('U0BEN', cardOf(first));
  const chosen = choices.flatMap((choice, index) =>
    choice.name === 'requester' && choice.kind === kind ? [index] : [],
  );
  expect(chosen).toHaveLength(1);
  const asked: GrantTerms =
    terms === 'hour' ? { kind: 'hour', chosen } : { kind: 'uses', uses: terms.uses, chosen };
  return here.services.grants.make('U0BEN', cardOf(first), asked);
}

const ended = async (id: string): Promise<ExecutionDocument> => {
  here.services.runner.take(id);
  await until(async () => (await here.services.executions.record(id)).finishedAt !== null, 10_000);
  return here.services.executions.record(id);
};

describe('a grant', () => {
  it('of 10 uses answers exactly 10 of 50 calls at once through two processes, and the rest ask', async () => {
    await seed('Race desk');
    const grant = await granted({ uses: 10 });
    const calls = await Promise.all(
      Array.from({ length: 50 }, (_, n) => submit(n % 2 ? here : there, `race ${n}`)),
    );
    const byRequirement = (requirement: string) => calls.filter((each) => each.requirement === requirement);
    expect(byRequirement('granted')).toHaveLength(10);
    expect(byRequirement('required')).toHaveLength(40);
    expect(
      byRequirement('granted').every(({ grantId, status }) => grantId === grant._id && status === 'queued'),
    ).toBe(true);
    const after = await here.deps.models.grants
      .findOne({ _id: grant._id, workspaceId: grant.workspaceId })
      .lean();
    expect(after?.usesLeft).toBe(0);
  });

  it('gives its use back when the same request was made before', async () => {
    await seed('Repeat desk');
    const grant = await granted({ uses: 20 });
    const once = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        submit(n % 2 ? here : there, 'the same', 'sam@example.com', 'one-key'),
      ),
    );
    expect(new Set(once.map(({ _id }) => _id)).size).toBe(1);
    const after = await here.deps.models.grants
      .findOne({ _id: grant._id, workspaceId: grant.workspaceId })
      .lean();
    expect(after?.usesLeft).toBe(19);
  });

  it('lets a call run, on record as granted, and asks for one that is outside its limits', async () => {
    await seed('Limits desk');
    const grant = await granted('hour', 'domain');
    const subject = `granted ${randomUUID()}`;
    const run = await submit(here, subject, 'kim@EXAMPLE.com');
    expect(run).toMatchObject({ requirement: 'granted', approvalStatus: 'not_required', grantId: grant._id });
    expect(await ended(run._id)).toMatchObject({ status: 'succeeded' });
    expect(sent(world.helpdesk, subject)).toHaveLength(1);
    for (const other of ['sam@example.org', 'sam@example.com.evil.test']) {
      expect((await submit(here, 'other', other)).requirement, other).toBe('required');
    }
    const events = await here.deps.models.auditEvents
      .find({ action: 'grant.made', 'subject.id': grant._id })
      .lean();
    expect(events).toHaveLength(1);
    expect(JSON.stringify([events, grant])).not.toContain('sam@');
  });

  it.each([
    ['revoked', async (grant: GrantDocument) => here.services.grants.revoke('U0BEN', grant._id)],
    [
      'over',
      async (grant: GrantDocument) => {
        await here.deps.models.grants.updateOne(
          { _id: grant._id, workspaceId: grant.workspaceId },
          { $set: { expiresAt: new Date(Date.now() - 1_000) } },
        );
      },
    ],
    [
      'of an older policy',
      async () => {
        const found = await here.services.connections.find(seeded.connectionId);
        if (found)
          await here.services.connections.setPolicy({ kind: 'user', id: 'U0ADA' }, found, [
            ...found.policy.rules,
          ]);
      },
    ],
    [
      'of an older credential',
      async () => {
        await here.deps.models.credentials.updateOne(
          { workspaceId: here.deps.workspaceId, connectionId: seeded.connectionId },
          { $inc: { generation: 1 } },
        );
      },
    ],
  ])('that is %s answers nothing more, and stops what is queued', async (name, change) => {
    await seed(`Ending ${name}`);
    const grant = await granted('hour');
    const subject = `queued ${randomUUID()}`;
    const queued = await submit(here, subject);
    expect(queued.requirement).toBe('granted');
    await change(grant);
    expect((await submit(here, 'after')).requirement).toBe('required');
    expect(
      await here.services.grants.live({ grantedBy: 'U0BEN', connectionId: seeded.connectionId }),
    ).toEqual([]);
    if (name === 'over') return;
    expect((await ended(queued._id)).status).toBe('failed');
    expect(sent(world.helpdesk, subject)).toHaveLength(0);
  });

  it('is made by nobody who may not decide, and revoked by nobody else', async () => {
    await seed('Whose desk');
    const asked = await submit(here, 'whose');
    await expect(here.services.grants.offer('U0ADA', cardOf(asked))).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(
      here.services.grants.make('U0BEN', cardOf(asked), { kind: 'hour', chosen: [0] }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    const grant = await granted('hour');
    await expect(here.services.grants.revoke('U0CLEO', grant._id)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await here.services.grants.revoke('U0ADA', grant._id);
  });

  it.each([
    ['a rule that is not to be remembered', { rememberable: false }],
    ['a rule with a second proof', { stepUp: 'totp' }],
    [
      'a rule with two approvals',
      { quorum: 2, approvers: { users: ['U0BEN', 'U0CLEO'], usergroups: [], connectionOwner: false } },
    ],
  ] as const)('is not offered for %s', async (name, change) => {
    await seed(`Never ${name.slice(0, 30)}`, change as Partial<PolicyRule>);
    const asked = await submit(here, 'never');
    await expect(here.services.grants.offer('U0BEN', cardOf(asked))).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  describe('is suggested', () => {
    const suggested = async (requester?: string): Promise<boolean> => {
      const asked = await submit(here, `again ${randomUUID()}`, requester);
      const approval = await here.services.approvals.ofExecution(asked._id);
      if (!approval) throw new Error('not asked');
      return here.services.grants.suggests(asked, approval);
    };
    const approved = async (count: number, requester?: string): Promise<void> => {
      for (let n = 0; n < count; n++) await approve(here, await submit(here, randomUUID(), requester));
    };
    const target = (execution: ExecutionDocument) => ({ ...cardOf(execution), userId: 'U0BEN' });

    it('after five approvals alike, and made by nobody', async () => {
      await seed('Suggesting desk');
      await approved(4);
      expect(await suggested()).toBe(false);
      await approved(1);
      expect(await suggested()).toBe(true);
      expect(await here.services.grants.live({ connectionId: seeded.connectionId })).toEqual([]);
    });

    it('not after five for other places, nor for another one', async () => {
      await seed('Five places desk');
      await approved(4);
      await approved(4, 'kim@example.com');
      expect(await suggested()).toBe(false);
      await approved(1);
      expect(await suggested()).toBe(true);
      expect(await suggested('kim@example.com')).toBe(false);
    });

    it('not once one of the last five was denied', async () => {
      await seed('Denying desk');
      await approved(5);
      const asked = await submit(here, 'denied');
      const outcome = await here.services.decisions.decide({
        ...target(asked),
        decision: 'denied',
        reason: null,
      });
      if (outcome.kind !== 'recorded') throw new Error('not denied');
      await here.services.approvals.settle(outcome.approval);
      expect(await suggested()).toBe(false);
      await approved(5);
      expect(await suggested()).toBe(true);
    });

    it('not once one of the last five was edited', async () => {
      await seed('Editing desk');
      await approved(5);
      const asked = await submit(here, 'edited');
      const args = { subject: 'better', body: 'Floor 3', requester: 'sam@example.com' };
      const outcome = await here.services.edits.submit(target(asked), args);
      if (outcome.kind !== 'recorded') throw new Error(JSON.stringify(outcome));
      await here.services.approvals.settle(outcome.approval);
      expect(await suggested()).toBe(false);
    });
  });
});

describe('what it is limited to', () => {
  const args = { to: ['a@corp.example', 'b@corp.example'], subject: 'Hello', project: 'OPS', html: false };

  it('is offered as the same value and, for addresses, the same domain; the place is preselected', () => {
    const choices = scopeChoices(args);
    expect(choices.map(({ name, kind, preselected }) => [name, kind, preselected])).toEqual([
      ['html', 'equals', false],
      ['project', 'equals', true],
      ['subject', 'equals', false],
      ['to', 'equals', true],
      ['to', 'domain', false],
    ]);
  });

  it('lets no argument in that the approved call did not have', () => {
    const scope = scopeOf('gr_1', args, []);
    expect(scopeFits('gr_1', scope, args)).toBe(true);
    expect(scopeFits('gr_1', scope, { ...args, bcc: 'x@evil.test' })).toBe(false);
    expect(scopeFits('gr_1', [], args)).toBe(false);
  });

  describe('within objects and lists of them', () => {
    const issue = {
      fields: {
        project: { key: 'OPS' },
        summary: 'Printer',
        watchers: [{ emailAddress: 'a@corp.example' }, { emailAddress: 'b@corp.example' }],
      },
      'odd/na~me': { on: true },
    };
    const chosen = (...names: string[]) =>
      scopeChoices(issue).filter(({ name, kind }) => kind === 'equals' && names.includes(name));

    it('is offered by each value; the place is preselected there too', () => {
      expect(
        scopeChoices(issue).map(({ path, name, kind, preselected }) => [path, name, kind, preselected]),
      ).toEqual([
        ['/fields/project/key', 'fields.project.key', 'equals', true],
        ['/fields/summary', 'fields.summary', 'equals', false],
        ['/fields/watchers/0/emailAddress', 'fields.watchers.0.emailAddress', 'equals', true],
        ['/fields/watchers/0/emailAddress', 'fields.watchers.0.emailAddress', 'domain', false],
        ['/fields/watchers/1/emailAddress', 'fields.watchers.1.emailAddress', 'equals', true],
        ['/fields/watchers/1/emailAddress', 'fields.watchers.1.emailAddress', 'domain', false],
        ['/odd~1na~0me/on', 'odd/na~me.on', 'equals', false],
      ]);
    });

    it('fits only what keeps to it, and has nothing in it that the approved call did not have', () => {
      const { fields } = issue;
      const scope = scopeOf('gr_1', issue, chosen('fields.project.key', 'odd/na~me.on'));
      const fits = (change: Record<string, JsonValue>) => scopeFits('gr_1', scope, { ...issue, ...change });
      expect(fits({})).toBe(true);
      expect(fits({ fields: { ...fields, summary: 'Another' } })).toBe(true);
      expect(fits({ fields: { ...fields, watchers: fields.watchers.slice(1) } })).toBe(true);
      expect(fits({ fields: { ...fields, project: { key: 'SEC' } } })).toBe(false);
      expect(fits({ fields: { ...fields, project: 'OPS' } })).toBe(false);
      expect(fits({ fields: { ...fields, security: { level: 'none' } } })).toBe(false);
      expect(
        fits({ fields: { ...fields, watchers: [...fields.watchers, { emailAddress: 'x@evil.example' }] } }),
      ).toBe(false);
      expect(fits({ 'odd/na~me': { on: false } })).toBe(false);
      expect(fits({ 'odd/na~me': {} })).toBe(false);
    });

    it('keeps the places where there are more values than a menu has room for', () => {
      const many = Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`a${at}`, `value ${at}`]));
      const choices = scopeChoices({ body: { ...many, project: 'OPS' } });
      expect(choices).toHaveLength(40);
      expect(choices.filter(({ preselected }) => preselected).map(({ name }) => name)).toEqual([
        'body.project',
      ]);
    });

    it('where nothing could be held to, a write gets no grant', () => {
      expect(canBeLimited('write', { items: [], more: {} })).toBe(false);
      expect(canBeLimited('read', { items: [] })).toBe(true);
      expect(canBeLimited('destructive', issue)).toBe(true);
      // Limited to calls without arguments.
      expect(canBeLimited('write', { none: null })).toBe(true);
      expect(scopeFits('gr_1', scopeOf('gr_1', {}, []), { to: 'x@evil.example' })).toBe(false);
    });
  });

  it('fits what it was made from, and no other value of what was chosen', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), value as fc.Arbitrary<JsonValue>, {
          minKeys: 1,
          maxKeys: 5,
        }),
        value as fc.Arbitrary<JsonValue>,
        (made, other) => {
          const chosen = scopeChoices(made).filter(({ kind }) => kind === 'equals');
          const scope = scopeOf('gr_1', made, chosen);
          expect(scopeFits('gr_1', scope, made)).toBe(true);
          for (const { name } of chosen) {
            const changed = { ...made, [name]: other };
            expect(scopeFits('gr_1', scope, changed)).toBe(
              JSON.stringify(other) === JSON.stringify(made[name]),
            );
          }
        },
      ),
    );
  });
});

describe('a function that asks every time', () => {
  it('is answered by no grant, whatever the rules say', () => {
    const effect = fc.constantFrom('allow' as const, 'ask' as const, 'deny' as const);
    fc.assert(
      fc.property(
        fc.array(fc.record({ effect, rememberable: fc.boolean(), quorum: fc.integer({ min: 1, max: 2 }) }), {
          maxLength: 4,
        }),
        fc.boolean(),
        (rules, askEveryTime) => {
          const asked = fn({ askEveryTime });
          const under = connection({
            policy: { version: 1, rules: rules.map((each, index) => rule({ id: `r${index}`, ...each })) },
          });
          const args = { to: 'a@corp.example' };
          const verdict = evaluate(under, asked, args);
          const call = execution({ requirement: verdict.requirement });
          const grant: GrantDocument = {
            _id: 'gr_1',
            workspaceId: call.workspaceId,
            connectionId: call.connectionId,
            callerId: call.callerId,
            function: call.function,
            scope: scopeOf('gr_1', args, []),
            policyVersion: call.policyVersion,
            credentialGeneration: call.credentialGeneration,
            definitionHash: call.definitionHash,
            ruleId: verdict.rule.id,
            risk: verdict.risk,
            subject: call.subject,
            executionId: call._id,
            grantedBy: 'U0BEN',
            createdAt: NOW,
            expiresAt: new Date(NOW.getTime() + 1_000),
            usesLeft: null,
            revokedAt: null,
          };
          const answered = answers(
            grant,
            { execution: call, connection: under, fn: asked, args, verdict },
            NOW,
          );
          if (askEveryTime || verdict.rule.rememberable === false) expect(answered).toBe(false);
          else expect(answered).toBe(verdict.effect !== 'deny');
        },
      ),
    );
  });
});

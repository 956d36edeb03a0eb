/** The views about connections, callers and settings: valid in Slack whatever people typed, and inert. */
import { describe, expect, it } from 'vitest';
import { explained, lines, said } from '../../blocks/parts/text.js';
import { validateMessage, validateView } from '../../blocks/validator/index.js';
import { nameWarning, proposedName } from '../../src/slack/features/connections/add-form.js';
import { keyOf, nearest, parseCommand } from '../../src/slack/features/connections/command.js';
import { fixtures as callers } from '../fixtures/views/callers.js';
import { connectionFixtures } from '../fixtures/views/connections.js';
import { fixtures as settings } from '../fixtures/views/settings.js';

const all = Object.entries({ ...connectionFixtures, callers, settings }).flatMap(([group, fixtures]) =>
  Object.entries(fixtures).map(([name, fixture]) => ({ name: `${group}/${name}`, ...fixture })),
);

describe.each(all)('$name', ({ kind, payload }) => {
  it('is what Slack takes', () => {
    expect(kind === 'message' ? validateMessage(payload) : validateView(payload)).toEqual([]);
  });

  it('holds no mention, link or hidden character that somebody typed', () => {
    const mrkdwn: string[] = [];
    JSON.stringify(payload, (_key, value: unknown) => {
      const { type, text } = (value ?? {}) as { type?: unknown; text?: unknown };
      if (type === 'mrkdwn') mrkdwn.push(String(text));
      return value;
    });
    for (const text of mrkdwn) expect(text).not.toMatch(/<!channel|<https:\/\/evil|\u202E/);
  });
});

describe('detail view', () => {
  it('says how many functions it does not show', () => {
    const crowded = connectionFixtures['connections/detail']?.crowded;
    expect(JSON.stringify(crowded)).toContain('420 more functions');
    expect(JSON.stringify(crowded)).toContain('41–80 of 500');
    expect(JSON.stringify(crowded)).toContain('and 180 more: *Access* shows them all');
  });

  it('shows others than admins and the owner nothing but the summary', () => {
    const shown = JSON.stringify(connectionFixtures['connections/detail']?.member);
    expect(shown).toContain('Support agents read tickets');
    expect(shown).not.toContain('create_ticket');
    expect(shown).not.toContain('"actions"');
  });
});

describe('pieces', () => {
  it('spreads lines over as many sections as they need, and loses none', () => {
    const given = Array.from({ length: 400 }, (_, at) => `line ${at} ${'x'.repeat(50)}`);
    const blocks = lines(given);
    expect(blocks.length).toBeGreaterThan(5);
    expect(
      blocks
        .map((block) => block.text?.text)
        .join('\n')
        .split('\n'),
    ).toEqual(given);
  });

  it('quotes people inertly, and names those whom an error names', () => {
    expect(said('a\n<!here> & *b*', 50)).toBe('a &lt;!here&gt; &amp; ∗b∗');
    expect(said('> :tada: _done_ `x` create_ticket 10:30:00')).toBe(
      '› ∶tada: ˍdoneˍ ˋxˋ create_ticket 10∶30:00',
    );
    expect(explained('You need <@U0ADA>, not <!here>')).toBe(
      ':warning: You need <@U0ADA>, not &lt;!here&gt;',
    );
    expect([...explained('&'.repeat(5_000))].length).toBeLessThan(3_000);
  });
});

describe('commands', () => {
  it.each([
    ['', 'list', ''],
    ['  SHOW   helpdesk ', 'show', 'helpdesk'],
    ['find two words', 'find', 'two words'],
  ])('reads %j', (text, name, rest) => {
    expect(parseCommand(text)).toEqual({ name, rest });
  });

  it.each([
    ['shwo', 'show'],
    ['rem', 'remove'],
    ['polcy', 'policy'],
    ['caller', 'callers'],
    ['xyzzy', null],
    ['', null],
  ])('finds what is nearest to %j', (typed, expected) => {
    expect(nearest(typed)).toBe(expected);
  });

  it('reads a key as people type it', () => {
    expect(keyOf(' `Help-Desk` ')).toBe('help-desk');
  });
});

describe('names', () => {
  it('proposes the system and the purpose, within the limit', () => {
    expect(proposedName('Helpdesk', 'Support agents answer customers. And more.')).toBe(
      'Helpdesk - Support agents answer customers',
    );
    const long = proposedName('S'.repeat(100), 'word '.repeat(200));
    expect([...long].length).toBeLessThanOrEqual(80);
    expect([...proposedName('Helpdesk', 'a '.repeat(200))].length).toBeLessThanOrEqual(80);
  });

  it('warns of a name that says nothing', () => {
    expect(nameWarning('Helpdesk', 'Answer questions of customers')).toContain('does not say');
    expect(nameWarning('Helpdesk customers', 'Answer questions of customers')).toBeNull();
    expect(nameWarning('Google Drive - Support FAQ - read only', 'Whatever')).toBeNull();
  });
});

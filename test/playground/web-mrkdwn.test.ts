import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const WEB = new URL('../../playground/web/', import.meta.url);

/** The page is plain JavaScript without a build: its modules are loaded as a browser loads them. */
function load(name: string) {
  return import(new URL(name, WEB).href);
}

const { parseMrkdwn, parsePlain, plainOf, safeUrl } = await load('mrkdwn.js');
const { parseMarkdown } = await load('markdown.js');
const { formatDate, fromLocalInput, toLocalInput, dayLabel } = await load('dates.js');
const { FormState, validate, initialValue } = await load('values.js');
const { suggest } = await load('suggestions.js');
const { curlLine, exampleOf, executionBody, isTerminal } = await load('call.js');
const { STEPS, commandFacts, progress } = await load('steps.js');

const text = (value: string) => ({ type: 'text', text: value });

describe('mrkdwn', () => {
  it('styles words, nested and beside punctuation', () => {
    expect(parseMrkdwn('a *bold _and italic_*, ~gone~.')).toEqual([
      text('a '),
      { type: 'bold', children: [text('bold '), { type: 'italic', children: [text('and italic')] }] },
      text(', '),
      { type: 'strike', children: [text('gone')] },
      text('.'),
    ]);
  });

  it.each(['2*3*4', 'snake_case_name', '* not bold *', '*open', '**', '*a\nb*'])(
    'leaves %j as text',
    (raw) => {
      const words = JSON.stringify(parseMrkdwn(raw));
      expect(words).not.toMatch(/"(bold|italic)"/);
      expect(plainOf(parseMrkdwn(raw))).toBe(raw.replace('\n', ' '));
    },
  );

  it('keeps code free of markup, entities and links', () => {
    expect(parseMrkdwn('`*a* &lt;b&gt; <https://x.example|x>`')).toEqual([
      { type: 'code', text: '*a* <b> x' },
    ]);
    expect(parseMrkdwn('see\n```\n*a*\n  b\n```\nend')).toEqual([
      text('see'),
      { type: 'preformatted', text: '*a*\n  b' },
      text('end'),
    ]);
  });

  it('reads links, mentions and channels', () => {
    expect(
      parseMrkdwn('<https://x.example/?a=1&amp;b=2|the *page*> <@U0ADA> <#C0GENERAL|general> <!here>'),
    ).toEqual([
      { type: 'link', url: 'https://x.example/?a=1&b=2', text: 'the *page*' },
      text(' '),
      { type: 'user', id: 'U0ADA', text: '' },
      text(' '),
      { type: 'channel', id: 'C0GENERAL', text: 'general' },
      text(' '),
      { type: 'broadcast', text: '@here' },
    ]);
    expect(parseMrkdwn('<!subteam^S0FINANCE|finance>')).toEqual([
      { type: 'usergroup', id: 'S0FINANCE', text: 'finance' },
    ]);
  });

  it('makes a link of a bare address unless the text is verbatim, and leaves the full stop alone', () => {
    expect(parseMrkdwn('at https://x.example/a.')).toEqual([
      text('at '),
      { type: 'link', url: 'https://x.example/a', text: 'https://x.example/a' },
      text('.'),
    ]);
    expect(parseMrkdwn('at https://x.example/a.', { verbatim: true })).toEqual([
      text('at https://x.example/a.'),
    ]);
  });

  it('shows escaped text as it was typed, never as markup', () => {
    expect(parseMrkdwn('&lt;@U0ADA&gt; &lt;https://x.example|y&gt; &amp;lt;', { verbatim: true })).toEqual([
      text('<@U0ADA> <https://x.example|y> &lt;'),
    ]);
  });

  it.each(['<javascript:alert(1)|x>', '<data:text/html,x|x>', '<b>hi</b>', '<JAVASCRIPT:x>', '<>', '<|>'])(
    'never follows %j',
    (raw) => expect(parseMrkdwn(raw)).toEqual([text(raw)]),
  );

  it('quotes lines, and everything after >>>', () => {
    expect(parseMrkdwn('&gt; one\n> *two*\nafter')).toEqual([
      {
        type: 'quote',
        children: [text('one'), { type: 'break' }, { type: 'bold', children: [text('two')] }],
      },
      text('after'),
    ]);
    expect(parseMrkdwn('>>> one\ntwo')).toEqual([
      { type: 'quote', children: [text('one'), { type: 'break' }, text('two')] },
    ]);
  });

  it('reads dates with their fallback', () => {
    expect(parseMrkdwn('<!date^1392734382^{date} at {time}^https://x.example|Feb 18>')).toEqual([
      {
        type: 'date',
        timestamp: 1392734382,
        format: '{date} at {time}',
        url: 'https://x.example',
        fallback: 'Feb 18',
      },
    ]);
    expect(parseMrkdwn('<!date^soon^{date}|fallback>')).toEqual([text('fallback')]);
  });

  it('draws known emoji and leaves unknown ones, and none where plain_text forbids them', () => {
    expect(parseMrkdwn(':lock: :no_such:')).toEqual([
      { type: 'emoji', name: 'lock', text: '🔒' },
      text(' :no_such:'),
    ]);
    expect(parsePlain('*a* :lock:')).toEqual([text('*a* '), { type: 'emoji', name: 'lock', text: '🔒' }]);
    expect(parsePlain('*a* :lock:', { emoji: false })).toEqual([text('*a* :lock:')]);
  });

  it('ends on any input, and every link it makes is one that may be followed', () => {
    const piece = fc.constantFrom(
      '*',
      '_',
      '~',
      '`',
      '```',
      '<',
      '>',
      '|',
      '@U1',
      '!date^1^',
      ':x:',
      '\n',
      '&gt;',
      'a',
      ' ',
    );
    const links = (nodes: { type: string; url?: string; children?: [] }[]): (string | undefined)[] =>
      nodes.flatMap((node) => [...(node.type === 'link' ? [node.url] : []), ...links(node.children ?? [])]);
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string(), fc.webUrl()), { maxLength: 40 }), (pieces) => {
        for (const url of links(parseMrkdwn(pieces.join('')))) expect(safeUrl(url)).toBe(url);
      }),
    );
  });
});

describe('markdown', () => {
  it('reads headings, lists, emphasis, code and links', () => {
    expect(parseMarkdown('## Title\n\n- **a**\n- `b`\n\n[x](https://x.example) and *c*')).toEqual([
      { type: 'heading', level: 2, children: [text('Title')] },
      {
        type: 'list',
        ordered: false,
        items: [[{ type: 'bold', children: [text('a')] }], [{ type: 'code', text: 'b' }]],
      },
      {
        type: 'paragraph',
        children: [
          { type: 'link', url: 'https://x.example', text: 'x' },
          text(' and '),
          { type: 'italic', children: [text('c')] },
        ],
      },
    ]);
  });

  it('does not follow a script', () => {
    expect(parseMarkdown('[x](javascript:void)')).toEqual([
      { type: 'paragraph', children: [text('[x](javascript:void)')] },
    ]);
  });
});

describe('dates', () => {
  const at = Date.UTC(2030, 0, 15, 22, 30) / 1000;

  it("are drawn in the reader's zone", () => {
    expect(formatDate(at, '{date_num} {time}', 'Europe/Madrid', at)).toBe('2030-01-15 11:30 PM');
    expect(formatDate(at, '{date_num} {time}', 'Asia/Tokyo', at)).toBe('2030-01-16 7:30 AM');
    expect(formatDate(at, '{date} · {unknown}', 'America/New_York', at)).toBe(
      'January 15th, 2030 · {unknown}',
    );
  });

  it('know today, yesterday and tomorrow on that zone’s calendar', () => {
    const now = at + 3 * 3600;
    expect(formatDate(at, '{date_short_pretty} at {time}', 'America/New_York', now)).toBe('Today at 5:30 PM');
    expect(formatDate(at, '{date_short_pretty}', 'Europe/Madrid', now)).toBe('Yesterday');
    expect(dayLabel(at, now, 'Europe/Madrid')).toBe('Yesterday');
    expect(dayLabel(at, at + 10 * 86_400, 'Europe/Madrid')).toBe('Tuesday, January 15th');
  });

  it('survive the way into a date field and back, on both sides of a clock change', () => {
    for (const tz of ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo']) {
      for (const day of [0, 75, 100, 200, 300, 310]) {
        const seconds = at + day * 86_400;
        expect(fromLocalInput(toLocalInput(seconds, tz), tz)).toBe(seconds);
      }
    }
    expect(fromLocalInput('', 'UTC')).toBeNull();
  });
});

describe('form state', () => {
  const option = (value: string) => ({ text: { type: 'plain_text', text: value }, value });
  const name = {
    type: 'input',
    block_id: 'name',
    element: { type: 'plain_text_input', action_id: 'n', initial_value: 'a' },
  };
  const pick = (...values: string[]) => ({
    type: 'section',
    block_id: 'pick',
    accessory: {
      type: 'static_select',
      action_id: 'p',
      options: values.map(option),
      initial_option: option(values[0] ?? ''),
    },
  });

  it("has Slack's shape, with initial values and without buttons", () => {
    const buttons = { type: 'actions', block_id: 'b', elements: [{ type: 'button', action_id: 'go' }] };
    expect(new FormState([name, pick('x', 'y'), buttons]).values()).toEqual({
      name: { n: { type: 'plain_text_input', value: 'a' } },
      pick: { p: { type: 'static_select', selected_option: option('x') } },
    });
  });

  it('keeps what was typed when a view is drawn again, unless the choice is no longer offered', () => {
    const before = new FormState([name, pick('x', 'y')]);
    before.set('name', 'n', 'plain_text_input', 'typed');
    before.set('pick', 'p', 'static_select', option('y'));
    const after = new FormState([name, pick('x', 'z')], { previous: before });
    expect(after.get('name', 'n').value).toBe('typed');
    expect(after.get('pick', 'p').selected_option.value).toBe('x');
  });

  it('keeps odd ids apart, even the names of object members', () => {
    const odd = {
      type: 'input',
      block_id: 'constructor',
      element: { type: 'plain_text_input', action_id: 'toString' },
    };
    expect(JSON.parse(JSON.stringify(new FormState([odd]).values()))).toEqual({
      constructor: { toString: { type: 'plain_text_input', value: null } },
    });
    expect(typeof Object.toString).toBe('function');
  });

  it('gives each kind of element its own empty value', () => {
    expect(initialValue({ type: 'multi_users_select' })).toEqual({
      type: 'multi_users_select',
      selected_users: [],
    });
    expect(initialValue({ type: 'timepicker' }, { timezone: 'Asia/Tokyo' })).toEqual({
      type: 'timepicker',
      selected_time: null,
      timezone: 'Asia/Tokyo',
    });
  });

  it.each([
    [{ type: 'plain_text_input' }, { value: null }, /required/],
    [{ type: 'plain_text_input', max_length: 2 }, { value: '😴😴' }, null],
    [{ type: 'plain_text_input', max_length: 2 }, { value: '😴😴!' }, /at most 2/],
    [{ type: 'number_input', is_decimal_allowed: false }, { value: '1.5' }, /whole/],
    [{ type: 'number_input', is_decimal_allowed: true, max_value: '2' }, { value: '2.5' }, /2 or less/],
    [{ type: 'url_text_input' }, { value: 'ftp://x' }, /valid URL/],
    [{ type: 'email_text_input' }, { value: 'ada' }, /email/],
    [{ type: 'multi_users_select' }, { selected_users: [] }, /required/],
  ])('checks %j with %j', (element, entry, expected) => {
    const found = validate({ type: 'input', element }, { type: element.type, ...entry });
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatch(expected);
  });
});

describe('composer suggestions', () => {
  const commands = [
    { command: '/connections', description: 'Find', usage_hint: '[list | find TEXT | add | callers add]' },
    { command: '/approvals', description: 'Wait', usage_hint: '' },
  ];
  const inserts = (typed: string) => suggest(typed, commands).map(({ insert }: { insert: string }) => insert);

  it('completes commands, then their words up to the first placeholder', () => {
    expect(inserts('/')).toEqual(['/connections ', '/approvals']);
    expect(inserts('/con')).toEqual(['/connections ']);
    expect(inserts('/connections f')).toEqual(['/connections find ']);
    expect(inserts('/connections ')).toHaveLength(4);
  });

  it('is silent when there is nothing to complete', () => {
    for (const typed of ['hello', '/nothing ', '/connections add', '/connections find x', '']) {
      expect(inserts(typed)).toEqual([]);
    }
  });
});

describe('sample agent', () => {
  it('proposes arguments that have what the schema requires', () => {
    const schema = {
      type: 'object',
      required: ['title', 'priority', 'tags'],
      properties: {
        title: { type: 'string' },
        priority: { type: 'string', enum: ['normal', 'high'] },
        tags: { type: 'array', minItems: 1, items: { type: 'string', examples: ['printer'] } },
        note: { type: 'string' },
        due: { type: 'string', examples: ['2030-01-15'] },
      },
    };
    const example = exampleOf(schema);
    expect(example).toMatchObject({ priority: 'normal', tags: ['printer'], due: '2030-01-15' });
    expect(example.title).not.toBe('');
    expect(example).not.toHaveProperty('note');
  });

  it('addresses a mail to somebody, and does not write it like a ticket', () => {
    const words = { type: 'string' };
    const mail = {
      type: 'object',
      required: ['to', 'subject'],
      properties: { to: { type: 'array', items: words }, subject: words },
    };
    const ticket = { type: 'object', required: ['subject'], properties: { subject: words } };
    expect(exampleOf(mail).to).toEqual(['dana@siesta.example']);
    expect(exampleOf(mail).subject).not.toBe(exampleOf(ticket).subject);
  });

  it('leaves empty members out of the body', () => {
    const call = {
      connection: 'helpdesk',
      function: 'list_tickets',
      arguments: {},
      onBehalfOf: '',
      reason: '',
    };
    expect(executionBody(call)).toEqual({ connection: 'helpdesk', function: 'list_tickets', arguments: {} });
  });

  it('prints a curl line that a shell reads back unchanged, and never the token', () => {
    const body = { arguments: { title: "it's $HOME `x`" } };
    const line: string = curlLine('http://127.0.0.1:1', 'key-1', body);
    expect(line).toContain('"Authorization: Bearer $SIESTA_TOKEN"');
    const quoted = line.slice(line.indexOf("-d '") + 4, -1);
    expect(JSON.parse(quoted.replaceAll("'\\''", "'"))).toEqual(body);
  });

  it('knows which statuses are ends', () => {
    expect(
      ['succeeded', 'failed', 'outcome_unknown', 'denied', 'expired', 'cancelled'].every(isTerminal),
    ).toBe(true);
    expect(['pending_authorization', 'pending_approval', 'queued', 'executing'].some(isTerminal)).toBe(false);
  });
});

describe('tour', () => {
  const ids = (facts: string[], seen = '') =>
    progress(new Set(facts), seen).next.map(({ id }: { id: string }) => id);

  it('has seven steps and shows the next three', () => {
    expect(STEPS).toHaveLength(7);
    expect(ids([])).toEqual(['connect', 'caller', 'ask']);
  });

  it('moves on with what was seen, and earlier steps are implied by later ones', () => {
    const added = commandFacts('U0ADA', '/connections add');
    expect(ids(added)).toContain('connect');
    expect(ids(added, 'Approval requests for Helpdesk will be posted here')).toContain('connect');
    expect(ids(added, 'Credential for *helpdesk* stored')).toEqual(['caller', 'ask', 'decide']);
    expect(ids(['agent:functions', 'agent:read:succeeded', 'agent:write:pending_approval'])).toEqual([
      'decide',
      'inspect',
      'mail',
    ]);
    expect(ids(['agent:write:succeeded', 'mail:arrived'])).toEqual(['inspect']);
  });
});

describe('the page', () => {
  const sources = readdirSync(WEB).map((name) => [name, readFileSync(new URL(name, WEB), 'utf8')] as const);

  it.each(sources)(
    '%s works under the policy default-src self and never parses data as HTML',
    (name, source) => {
      expect(source).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
      );
      if (name.endsWith('.html')) expect(source).not.toMatch(/<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=/);
      const elsewhere = source.match(/(?:src|href|import|from|url)\s*[=(]?\s*["'(]https?:/g);
      expect(elsewhere).toBeNull();
    },
  );
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/connectors/framework.js';
import { isConvertible, markdownToDocument } from '../../src/connectors/jira/adf.js';
import { documentToMarkdown } from '../../src/connectors/jira/adf-reading.js';
import { objectOf, objectsIn } from '../../src/connectors/json.js';

const content = (markdown: string) => objectsIn(objectOf(markdownToDocument(markdown) ?? undefined).content);
const text = (value: string, ...marks: JsonValue[]) => ({
  type: 'text',
  text: value,
  ...(marks.length > 0 && { marks }),
});
const paragraph = (...nodes: JsonValue[]) => ({ type: 'paragraph', content: nodes });
const link = (href: string) => ({ type: 'link', attrs: { href } });

function* nodesIn(value: JsonValue): Generator<{ node: Record<string, JsonValue>; parent: string }> {
  const node = objectOf(value);
  for (const child of objectsIn(node.content)) {
    yield { node: child, parent: String(node.type) };
    yield* nodesIn(child);
  }
}

/** Which nodes may stand in which (ADF schema), as far as this connector writes them. */
const CHILDREN: Record<string, readonly string[]> = {
  doc: ['paragraph', 'heading', 'bulletList', 'orderedList', 'codeBlock', 'blockquote', 'rule', 'table'],
  paragraph: ['text', 'hardBreak'],
  heading: ['text', 'hardBreak'],
  codeBlock: ['text'],
  blockquote: ['paragraph', 'bulletList', 'orderedList', 'codeBlock'],
  bulletList: ['listItem'],
  orderedList: ['listItem'],
  listItem: ['paragraph', 'bulletList', 'orderedList', 'codeBlock'],
  table: ['tableRow'],
  tableRow: ['tableHeader', 'tableCell'],
  tableHeader: ['paragraph'],
  tableCell: ['paragraph'],
};

describe('markdown as a document', () => {
  it('keeps headings, marks, links, code, lists, quotes and tables', () => {
    expect(
      content('# Plan\n\nSee **bold *both* x**, `a<b` and [docs](https://docs.example/a?b=1&c=2).  \nNext'),
    ).toEqual([
      { type: 'heading', attrs: { level: 1 }, content: [text('Plan')] },
      paragraph(
        text('See '),
        text('bold ', { type: 'strong' }),
        text('both', { type: 'strong' }, { type: 'em' }),
        text(' x', { type: 'strong' }),
        text(', '),
        text('a<b', { type: 'code' }),
        text(' and '),
        text('docs', link('https://docs.example/a?b=1&c=2')),
        text('.'),
        { type: 'hardBreak' },
        text('Next'),
      ),
    ]);
    expect(content('```ts\nif (a[0](b) < 1) {}\n```')).toEqual([
      { type: 'codeBlock', attrs: { language: 'ts' }, content: [text('if (a[0](b) < 1) {}')] },
    ]);
    expect(content('3. a\n4. b')).toMatchObject([{ type: 'orderedList', attrs: { order: 3 } }]);
    expect(content('| a | b |\n|---|---|\n| 1 | |')).toMatchObject([
      {
        type: 'table',
        content: [
          { content: [{ type: 'tableHeader' }, { type: 'tableHeader' }] },
          { content: [{ type: 'tableCell' }, { type: 'tableCell' }] },
        ],
      },
    ]);
  });

  it('shows HTML as it was typed instead of dropping or obeying it', () => {
    expect(content('<b>x</b> <img src=p.png onerror=x()> 1 < 2')).toEqual([
      paragraph(text('<b>x</b> <img src=p.png onerror=x()> 1 < 2')),
    ]);
    expect(content('<div>\nhello\n</div>')).toEqual([paragraph(text('<div> hello </div>'))]);
  });

  it('never takes raw documents over: no mention, no macro', () => {
    const raw = '<adf>\n{"type":"mention","attrs":{"id":"712020:boss"}}\n</adf>';
    expect([...nodesIn(markdownToDocument(raw))].map(({ node }) => node.type)).not.toContain('mention');
    expect(documentToMarkdown(markdownToDocument(raw))).toContain('"type":"mention"');
    expect(content('Ask @boss or [~accountid:712020:boss]')).toEqual([
      paragraph(text('Ask @boss or [~accountid:712020:boss]')),
    ]);
  });

  it('makes pictures links, also in lists, and leaves other uses of ! alone', () => {
    expect(content('- Look: ![shot](https://pics.example/1.png)\n- if (![1].x)')).toEqual([
      {
        type: 'bulletList',
        content: [
          {
            type: 'listItem',
            content: [paragraph(text('Look: '), text('shot', link('https://pics.example/1.png')))],
          },
          { type: 'listItem', content: [paragraph(text('if (![1].x)'))] },
        ],
      },
    ]);
    expect(content('`![a](https://b.example/c)`')).toEqual([
      paragraph(text('![a](https://b.example/c)', { type: 'code' })),
    ]);
  });

  it.each([
    ['[a](javascript:alert(1))'],
    ['[a](JaVaScRiPt:alert(1))'],
    ['<javascript:alert(1)>'],
    ['[a](data:text/html,x)'],
    ['[a](file:///etc/passwd)'],
    ['[a](//evil.example)'],
    ['[a][b]\n\n[b]: javascript:alert(1)'],
    ['![a](javascript:alert(1))'],
  ])('does not link to %s', (markdown) => {
    const marks = [...nodesIn(markdownToDocument(markdown))].flatMap(({ node }) => objectsIn(node.marks));
    expect(marks).toEqual([]);
  });

  it('links to the web and to mailboxes', () => {
    const linked = (markdown: string) =>
      [...nodesIn(markdownToDocument(markdown))].flatMap(({ node }) =>
        objectsIn(node.marks).map(({ attrs }) => objectOf(attrs).href),
      );
    expect(linked('https://a.example/x <https://b.example/?q=1> [m](mailto:cleo@siesta.example)')).toEqual([
      'https://a.example/x',
      'https://b.example/?q=1',
      'mailto:cleo@siesta.example',
    ]);
  });

  it('is the same document every time, task lists too', () => {
    const tasks = '- [ ] open\n- [x] done\n  - [ ] below';
    expect(markdownToDocument(tasks)).toEqual(markdownToDocument(tasks));
    expect(documentToMarkdown(markdownToDocument(tasks))).toBe('- ☐ open\n- ☑ done\n  - ☐ below');
  });

  it('nests only what the schema allows, whatever the markdown', () => {
    const markdown = [
      '> # h\n> > deeper\n> ---\n> | a |\n> |---|\n> | 1 |\n> - [ ] t',
      '- # h\n  > q\n  ```\n  c\n  ```\n  ---\n- - inner\n-',
      '| ![a](https://b.example) | <b>x</b> |\n|---|---|\n| | `c` |',
      '```\n```',
      '   ',
      '- [x] a\n  - b\n    1. c\n- [ ] d',
    ].join('\n\n');
    const found = [...nodesIn(markdownToDocument(markdown))];
    for (const { node, parent } of found) expect(CHILDREN[parent], parent).toContain(node.type);
    const types = new Set(found.map(({ node }) => node.type));
    expect([...types].sort()).toEqual(
      expect.arrayContaining(['blockquote', 'codeBlock', 'listItem', 'tableCell']),
    );
    for (const { node } of found) {
      const first = objectsIn(node.content)[0]?.type;
      if (node.type === 'listItem') expect(['paragraph', 'codeBlock']).toContain(first);
      if (node.type === 'text') expect(node.text).not.toBe('');
    }
    expect(content('   ')).toEqual([paragraph()]);
  });

  it('refuses what would keep it busy, and is soon back', () => {
    const started = performance.now();
    expect(markdownToDocument('>'.repeat(32_000))).toBeNull();
    expect(markdownToDocument('[a](http://(('.repeat(2_500))).toBeNull();
    expect(markdownToDocument('[a](('.repeat(6_000))).not.toBeNull();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(content('after it')).toEqual([paragraph(text('after it'))]);
  });

  it('holds the process up once at most, however many texts a call brings', () => {
    const slow = '*a '.repeat(400);
    const many = Array.from({ length: 50 }, (_, index) => `${index} ${slow}`);
    const started = performance.now();
    expect(isConvertible(many)).toBe(false);
    expect(isConvertible(['_a '.repeat(10_000)])).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('reads a text once, however often it is asked about', () => {
    const readme = readFileSync('node_modules/undici/README.md', 'utf8');
    const started = performance.now();
    for (let time = 0; time < 300; time += 1) expect(isConvertible([readme])).toBe(true);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it.each(['marked', 'marklassian', 'acorn', 'zod', 'undici', 'mongoose', 'nodemailer'])(
    'takes the README of %s',
    (name) => {
      const readme = readFileSync(`node_modules/${name}/README.md`, 'utf8').slice(0, 32_767);
      expect(isConvertible([readme])).toBe(true);
      expect(content(readme).length).toBeGreaterThan(5);
    },
  );
});

describe('a document as markdown', () => {
  const read = (...nodes: JsonValue[]) => documentToMarkdown({ type: 'doc', version: 1, content: nodes });

  it('gives back what was written', () => {
    const markdown =
      '## Plan\n\nSee **bold** and [docs](https://docs.example/).\n\n- one\n- two\n  1. deep\n\n> quoted\n\n```ts\nlet a;\n```\n\n---\n\n| a | b |\n| 1 | 2 |';
    const written = markdown.replace('| a | b |\n', '| a | b |\n|---|---|\n');
    expect(documentToMarkdown(markdownToDocument(written))).toBe(markdown);
  });

  it('names people, dates, statuses, cards, files and macros', () => {
    const inline = paragraph(
      { type: 'mention', attrs: { id: '712020:a', text: '@Ada' } },
      text(' '),
      { type: 'date', attrs: { timestamp: '1767225600000' } },
      text(' '),
      { type: 'status', attrs: { text: 'DONE', color: 'green' } },
      text(' '),
      { type: 'emoji', attrs: { shortName: ':tada:' } },
      text(' '),
      { type: 'inlineCard', attrs: { url: 'https://x.example/' } },
    );
    const media = { type: 'mediaSingle', content: [{ type: 'media', attrs: { id: 'm', alt: 'shot.png' } }] };
    const panel = { type: 'panel', attrs: { panelType: 'info' }, content: [paragraph(text('Note'))] };
    expect(read(inline, media, panel, { type: 'extension', attrs: { extensionKey: 'toc' } })).toBe(
      '@Ada 2026-01-01 [DONE] :tada: https://x.example/\n\n[shot.png]\n\n> Note\n\n[toc]',
    );
  });

  it('shows tasks, and the text of nodes it does not know', () => {
    const task = (state: string, label: string) => ({
      type: 'taskItem',
      attrs: { state },
      content: [text(label)],
    });
    expect(read({ type: 'taskList', content: [task('DONE', 'a'), task('TODO', 'b')] })).toBe(
      '- [x] a\n- [ ] b',
    );
    expect(read({ type: 'somethingNew', content: [paragraph(text('inside'))] })).toBe('inside');
  });

  it('survives any nesting and any nonsense', () => {
    let deep: JsonValue = paragraph(text('bottom'));
    for (let depth = 0; depth < 2_000; depth += 1) deep = { type: 'blockquote', content: [deep] };
    expect(read(deep)).not.toContain('bottom');
    expect(documentToMarkdown(null)).toBe('');
    expect(documentToMarkdown({ type: 'doc', content: 'x' })).toBe('');
  });
});

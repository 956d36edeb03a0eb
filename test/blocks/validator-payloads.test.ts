import { describe, expect, it } from 'vitest';
import { type ValidationError, validateMessage, validateView } from '../../blocks/validator/index.js';

const plain = (text: string) => ({ type: 'plain_text', text });

const constraints = (errors: readonly ValidationError[]): string[] => [
  ...new Set(errors.map(({ constraint }) => constraint)),
];

describe('validateView', () => {
  const input = { type: 'input', label: plain('L'), element: { type: 'plain_text_input' } };
  const modal = (extra: object) => ({
    type: 'modal',
    title: plain('T'),
    blocks: [input],
    submit: plain('Go'),
    ...extra,
  });

  it('wants submit when there is an input', () => {
    expect(validateView(modal({}))).toEqual([]);
    expect(validateView(modal({ submit: undefined }))).toEqual([
      expect.objectContaining({ pointer: '/submit', constraint: 'view.submit.required' }),
    ]);
    expect(validateView({ type: 'home', blocks: [input] })).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['no object', null, 'type'],
    ['another type', modal({ type: 'workflow_step' }), 'view.type'],
    ['no title', modal({ title: undefined }), 'required'],
    ['no blocks', modal({ blocks: undefined }), 'view.blocks.min_items'],
    [
      'a Home with a submit',
      { type: 'home', blocks: [{ type: 'divider' }], submit: plain('Go') },
      'unknown_property',
    ],
    [
      'a Home with a title',
      { type: 'home', blocks: [{ type: 'divider' }], title: plain('T') },
      'unknown_property',
    ],
    ['a typo', modal({ callback: 'x' }), 'unknown_property'],
    [
      'an external_id that is too long',
      modal({ external_id: 'x'.repeat(256) }),
      'view.external_id.max_length',
    ],
    ['a number JSON cannot say', modal({ private_metadata: 1n }), 'type'],
  ])('refuses %s', (_what, view, constraint) => {
    expect(constraints(validateView(view))).toEqual([constraint]);
  });

  it('weighs the whole view in bytes of UTF-8', () => {
    const section = (text: string) => ({ type: 'section', text: plain(text) });
    const blocks = (text: string) => ({
      type: 'home',
      blocks: Array.from({ length: 83 }, () => section(text)),
    });
    expect(validateView(blocks('x'.repeat(2900)))).toEqual([]);
    expect(constraints(validateView(blocks('x'.repeat(3000))))).toEqual(['view.max_bytes']);
    expect(constraints(validateView(blocks('ž'.repeat(1500))))).toEqual(['view.max_bytes']);
  });
});

describe('validateMessage', () => {
  const blocks = [{ type: 'divider' }];
  it.each<[string, unknown, string[]]>([
    ['text and blocks, whatever the method is told besides', { text: 'x', blocks, channel: 'C1' }, []],
    ['an attachment with blocks', { attachments: [{ color: '#36a64f', blocks }] }, []],
    ['markdown_text alone', { markdown_text: 'x' }, []],
    ['nothing', { text: '', blocks: [] }, ['message.content']],
    ['no object', 'hello', ['type']],
    ['100 attachments', { attachments: Array(100).fill({ text: 'x' }) }, []],
    ['101 attachments', { attachments: Array(101).fill({ text: 'x' }) }, ['message.attachments.max_items']],
    ['a text that is too long', { text: 'x'.repeat(4001) }, ['message.text.max_length']],
    ['markdown_text with text', { markdown_text: 'x', text: 'x' }, ['message.markdown_text']],
    ['blocks as a string', { text: 'x', blocks: '[]' }, ['type']],
    ['another colour', { attachments: [{ color: 'mauve', text: 'x' }] }, ['format']],
    ['a typo in an attachment', { attachments: [{ txt: 'x' }] }, ['unknown_property']],
    ['a bad block in an attachment', { attachments: [{ blocks: [{ type: 'nonsense' }] }] }, ['block.type']],
  ])('%s', (_what, message, expected) => {
    expect(constraints(validateMessage(message))).toEqual(expected);
  });
});

it('checks a message of 50 blocks in about a millisecond', () => {
  const button = (i: number) => ({
    type: 'button',
    action_id: `a${i}`,
    text: plain('Approve'),
    value: 'x'.repeat(40),
  });
  const blocks = Array.from({ length: 50 }, (_, i) =>
    i % 2
      ? { type: 'actions', block_id: `b${i}`, elements: [button(1), button(2), button(3)] }
      : {
          type: 'section',
          text: { type: 'mrkdwn', text: 'x'.repeat(2900) },
          fields: [plain('a'), plain('b')],
        },
  );
  for (let i = 0; i < 200; i += 1) expect(validateMessage({ text: 'x', blocks })).toEqual([]);
  const started = performance.now();
  for (let i = 0; i < 100; i += 1) validateMessage({ text: 'x', blocks });
  expect((performance.now() - started) / 100).toBeLessThan(2);
});

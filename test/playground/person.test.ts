import { describe, expect, it } from 'vitest';
import { smallManifest } from '../../playground/slack/manifest.js';
import { person } from '../../playground/slack/person.js';
import { createSlackServer } from '../../playground/slack/server.js';
import { openView } from '../../playground/slack/views.js';

const plain = (text: string) => ({ type: 'plain_text', text });
const option = (text: string, value: string) => ({ text: plain(text), value });
const input = (block_id: string, label: string, element: object) => ({
  type: 'input',
  block_id,
  label: plain(label),
  optional: true,
  element: { action_id: 'value', ...element },
});
const options = [option('Read only', 'read'), option('Read and write', 'write')];

const blocks = [
  { type: 'header', text: plain('Everything') },
  {
    type: 'section',
    text: { type: 'mrkdwn', text: 'Ask <@U0ADA> in <#C0GENERAL> &amp; <https://a.example|here>' },
  },
  {
    type: 'context',
    elements: [
      { type: 'plain_text', text: 'one' },
      { type: 'mrkdwn', text: '*two*' },
    ],
  },
  { type: 'divider' },
  input('text', 'Purpose', { type: 'plain_text_input', multiline: true, initial_value: 'as before' }),
  input('number', 'Quorum', { type: 'number_input', is_decimal_allowed: false, max_value: '3' }),
  input('mail', 'Mail', { type: 'email_text_input' }),
  input('menu', 'Risk', { type: 'static_select', options }),
  input('radio', 'Effect', { type: 'radio_buttons', options }),
  input('boxes', 'Scopes', { type: 'checkboxes', options, initial_options: [options[0]] }),
  input('owner', 'Owner', { type: 'users_select' }),
  input('route', 'Route', { type: 'conversations_select' }),
  input('rooms', 'Rooms', { type: 'multi_channels_select' }),
  input('day', 'Day', { type: 'datepicker' }),
  input('hour', 'Hour', { type: 'timepicker' }),
  input('moment', 'Moment', { type: 'datetimepicker' }),
  input('words', 'Words', { type: 'rich_text_input' }),
];

function everything() {
  const slack = createSlackServer({ manifest: smallManifest({ commands: [] }) });
  const ada = person(slack, 'U0ADA');
  openView(slack.workspace, 'U0ADA', {
    type: 'modal',
    callback_id: 'all',
    title: plain('All inputs'),
    submit: plain('Save'),
    blocks,
  });
  const values = () =>
    Object.fromEntries(
      Object.entries(ada.view()?.state.values ?? {}).map(([block_id, { value }]) => {
        const { type: _, ...rest } = value ?? {};
        return [block_id, rest];
      }),
    );
  return { slack, ada, values };
}

describe('a person', () => {
  it('starts with initial and empty values, as Slack sends them', () => {
    expect(everything().values()).toEqual({
      text: { value: 'as before' },
      number: { value: null },
      mail: { value: null },
      menu: { selected_option: null },
      radio: { selected_option: null },
      boxes: { selected_options: [options[0]] },
      owner: { selected_user: null },
      route: { selected_conversation: null },
      rooms: { selected_channels: [] },
      day: { selected_date: null },
      hour: { selected_time: null },
      moment: { selected_date_time: null },
      words: { rich_text_value: null },
    });
  });

  it('fills every kind of input by its label', async () => {
    const { ada, values } = everything();
    await ada.fill({
      Purpose: 'Answer questions',
      Quorum: 2,
      mail: 'ada@siesta.example',
      Risk: 'Read and write',
      Effect: 'read',
      Scopes: ['Read only', 'write'],
      Owner: 'Ben',
      Route: '#approvals',
      Rooms: ['C0GENERAL', 'random'],
      Day: '2031-02-03',
      Hour: '09:30',
      Moment: 1_900_000_000,
      Words: 'hello',
    });
    expect(values()).toMatchObject({
      text: { value: 'Answer questions' },
      number: { value: '2' },
      mail: { value: 'ada@siesta.example' },
      menu: { selected_option: { value: 'write' } },
      radio: { selected_option: { value: 'read' } },
      boxes: { selected_options: options },
      owner: { selected_user: 'U0BEN' },
      route: { selected_conversation: 'C0APPROVALS' },
      rooms: { selected_channels: ['C0GENERAL', 'C0RANDOM'] },
      day: { selected_date: '2031-02-03' },
      hour: { selected_time: '09:30' },
      moment: { selected_date_time: 1_900_000_000 },
      words: { rich_text_value: { type: 'rich_text' } },
    });
    await ada.fill({ Owner: null, Scopes: [] });
    expect(values()).toMatchObject({ owner: { selected_user: null }, boxes: { selected_options: [] } });
  });

  it('reads a view as lines', async () => {
    const { ada } = everything();
    await ada.fill({ Owner: 'Ben', Words: 'hello' });
    const lines = ada.text().split('\n');
    expect(lines.slice(0, 6)).toEqual([
      '= All inputs =',
      '# Everything',
      'Ask @Ada in #general & here (https://a.example)',
      'one · *two*',
      '---',
      'Purpose (optional): as before',
    ]);
    expect(lines).toContain('Owner (optional): Ben');
    expect(lines).toContain('Words (optional): hello');
    expect(lines.at(-1)).toBe('[Save]');
  });

  it('hears what Slack says about wrong input, without any app', async () => {
    const { ada } = everything();
    expect(await ada.submit({ Quorum: 4, Mail: 'nonsense' })).toEqual({
      number: 'Must be at most 3.',
      mail: 'Please enter a valid email address.',
    });
    await expect(ada.submit({ Quorum: 3, Mail: 'ada@siesta.example' })).rejects.toThrow('dispatch_failed');
  });

  it('is told what there is when something is not', async () => {
    const { ada } = everything();
    await expect(ada.fill({ Colour: 'red' })).rejects.toThrow('plain_text_input "Purpose" (value)');
    await expect(ada.fill({ Risk: 'None' })).rejects.toThrow('"Read only" (read), "Read and write" (write)');
    await expect(ada.fill({ Owner: 'Zoe' })).rejects.toThrow('nobody and nothing is called "Zoe"');
    await expect(ada.waitForMessage(/never/, 10)).rejects.toThrow('no message fits /never/');
  });
});

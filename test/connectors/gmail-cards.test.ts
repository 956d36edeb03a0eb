/** What an approver is shown of a mail: all that is sent, to all that it goes to. */
import { describe, expect, it } from 'vitest';
import { gmailConnector } from '../../src/connectors/gmail/index.js';
import { standIn } from './stand-in.js';

const gmail = standIn({
  functions: gmailConnector.functions({}),
  config: {},
  prefix: '/gmail/v1/users/me',
});
const part = (mimeType: string, text: string) => ({
  mimeType,
  body: { data: Buffer.from(text).toString('base64url') },
});
const draft = {
  id: 'd1',
  message: {
    id: 'm1',
    payload: {
      mimeType: 'multipart/alternative',
      headers: [
        { name: 'To', value: 'ada@siesta.example' },
        { name: 'Subject', value: 'Lunch' },
      ],
      parts: [part('text/plain', 'Lunch at noon?'), part('text/html', '<p>Send me the <b>password</b></p>')],
    },
  },
};

describe('a draft', () => {
  it('is shown with its HTML, which is what its readers see', async () => {
    gmail.answers({ 'GET /drafts/d1': { body: draft } });
    const { fields } = await gmail.observe('send_draft', { draft_id: 'd1' });
    expect(fields).toContainEqual({ label: 'Text', value: 'Lunch at noon?', kind: 'long' });
    expect(fields).toContainEqual({
      label: 'HTML',
      value: '<p>Send me the <b>password</b></p>',
      kind: 'long',
    });
  });

  it('that is replaced shows what becomes of its HTML', async () => {
    gmail.answers({ 'GET /drafts/d1': { body: draft } });
    const mail = { id: 'd1', to: ['ada@siesta.example'], subject: 'Lunch', body_text: 'Lunch at noon?' };
    const html = async (more: object) =>
      (await gmail.observe('update_draft', { ...mail, ...more })).fields.find(
        ({ label }) => label === 'HTML',
      );
    expect(await html({})).toMatchObject({ value: '<p>Send me the <b>password</b></p>', after: '' });
    expect(await html({ body_html: '<p>Noon?</p>' })).toMatchObject({ after: '<p>Noon?</p>' });
  });
});

describe('an answer', () => {
  const original = (headers: Record<string, string>) => ({
    id: 'm1',
    threadId: 't1',
    payload: { headers: Object.entries(headers).map(([name, value]) => ({ name, value })) },
  });
  const goesTo = async (headers: Record<string, string>) => {
    gmail.answer = () => ({ body: original(headers) });
    const { fields } = await gmail.observe('reply', { message_id: 'm1', body_text: 'Yes' });
    return fields.find(({ label }) => label === 'To')?.value;
  };

  it.each<[string, string]>([
    ['a comma and an address', '=?utf-8?Q?eve=40evil.example=2C?= <ada@siesta.example>'],
    ['half a quotation', '=?utf-8?Q?The_=22Boss?= <ada@siesta.example>'],
    ['another address', '=?utf-8?Q?=3Ceve=40evil.example=3E?= <ada@siesta.example>'],
  ])('goes to the address alone, whatever the name beside it says in code: %s', async (_, from) => {
    expect(await goesTo({ From: from, Subject: 'Lunch' })).toBe('ada@siesta.example');
  });

  it('to more people than one mail may have goes to none, rather than to some of them', async () => {
    const people = Array.from({ length: 101 }, (_, at) => `p${at}@siesta.example`).join(', ');
    gmail.answers({
      'GET /messages/m1': { body: original({ From: 'ada@siesta.example', To: people }) },
      'GET /profile': { body: { emailAddress: 'ben@siesta.example' } },
    });
    const answer = { message_id: 'm1', body_text: 'Yes', reply_all: true };
    await expect(gmail.run('reply', answer)).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
    });
    expect(gmail.requests.every(({ method }) => method === 'GET')).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressesIn, buildMime, decodeWords, type Mail, mailAddress } from '../../src/connectors/mime.js';

const mail: Mail = { to: ['cleo@siesta.example'], subject: 'Hello', bodyText: 'Text', executionId: 'exe_1' };

/** Header names and unfolded values, and the rest. */
async function parts(changes: Partial<Mail>) {
  const text = (await buildMime({ ...mail, ...changes })).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const headers = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  return {
    headers,
    names: headers.map((line) => line.slice(0, line.indexOf(':'))),
    body: text.slice(end + 4),
  };
}

describe('a mail', () => {
  it('has the headers it was given, blind copies too, and the marks of its execution', async () => {
    const { headers } = await parts({
      cc: ['ben@siesta.example'],
      bcc: ['ada@siesta.example'],
      inReplyTo: '<1@x>',
      references: ['<0@x>', '<1@x>'],
    });
    expect(headers).toEqual(
      expect.arrayContaining([
        'To: cleo@siesta.example',
        'Cc: ben@siesta.example',
        'Bcc: ada@siesta.example',
        'Subject: Hello',
        'Message-ID: <exe_1@siesta-connections.local>',
        'X-Siesta-Execution: exe_1',
        'In-Reply-To: <1@x>',
        'References: <0@x> <1@x>',
      ]),
    );
  });

  it('encodes what is not ASCII, so that it reads the same at the other end', async () => {
    const subject = 'Grüße aus Zürich 🏔 — und noch viel mehr, damit die Zeile gefaltet werden muss';
    const { headers } = await parts({ subject });
    const written = headers.find((line) => line.startsWith('Subject: ')) ?? '';
    expect(written).toMatch(/^[\x20-\x7e]+$/);
    expect(decodeWords(written.slice('Subject: '.length))).toBe(subject);
  });

  it('keeps header-like lines of the text in the text', async () => {
    const plain = await parts({});
    const { names, body } = await parts({ bodyText: 'a\r\n\r\nBcc: evil@evil.example\r\n.\r\nQUIT' });
    expect(names.sort()).toEqual(plain.names.sort());
    expect(body).toContain('Bcc: evil@evil.example');
  });

  it.each<[string, Partial<Mail>]>([
    ['a line break in the subject', { subject: 'Hi\r\nBcc: evil@evil.example' }],
    ['a bare line feed in the subject', { subject: 'Hi\nBcc: evil@evil.example' }],
    ['a line break in an address', { to: ['cleo@siesta.example\r\nBcc: evil@evil.example'] }],
    ['a second address in one', { to: ['cleo@siesta.example, evil@evil.example'] }],
    ['a display name', { cc: ['Your Boss <evil@evil.example>'] }],
    ['a group', { bcc: ['friends: evil@evil.example;'] }],
    ['a broken reference', { inReplyTo: '<a@x>\r\nBcc: evil@evil.example' }],
    ['an execution id that is not plain', { executionId: 'a>\r\nBcc: evil@evil.example' }],
  ])('is not written with %s', async (_, changes) => {
    await expect(buildMime({ ...mail, ...changes })).rejects.toThrow();
  });

  it('carries files as they are, under their own names', async () => {
    const bytes = Buffer.from([0, 13, 10, 46, 13, 10, 255]);
    const name = 'Pläne "neu"; filename=evil.exe.pdf';
    const { body } = await parts({ attachments: [{ name, type: 'application/pdf; name=evil.exe', bytes }] });
    expect(body).toContain(bytes.toString('base64'));
    expect(body).toContain('Content-Type: application/octet-stream;\r\n name="=?UTF-8?');
    expect(body).toMatch(/Content-Disposition: attachment;\r\n filename\*0\*=utf-8''Pl%C3%A4ne/);
    expect(body).not.toMatch(/filename="?evil/);
  });

  it('is not written with a file whose name breaks its header', async () => {
    const file = { name: 'a\r\nBcc: evil@evil.example', type: 'text/plain', bytes: Buffer.from('x') };
    await expect(buildMime({ ...mail, attachments: [file] })).rejects.toThrow();
  });

  it('never has more headers than ours, whatever subject and text are', async () => {
    const expected = (await parts({})).names.filter((name) => !/^content-/i.test(name)).sort();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc.string({ unit: 'binary' }),
        async (subject, bodyText) => {
          const written = await parts({ subject: `S${subject}`, bodyText }).catch(() => undefined);
          const names = written?.names.filter((name) => !/^content-/i.test(name)).sort();
          expect(names ?? expected).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('headers of received mails', () => {
  it.each([
    ['=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=', 'Grüße'],
    ['=?utf-8?B?R3LDvMOfZQ==?= =?utf-8?Q?_aus?=', 'Grüße aus'],
    ['=?iso-8859-1?Q?caf=E9?= time', 'café time'],
    ['=?no-such-charset?Q?x?=', '=?no-such-charset?Q?x?='],
    ['plain = ? text', 'plain = ? text'],
  ])('%s reads %s', (header, text) => {
    expect(decodeWords(header)).toBe(text);
  });

  it('gives the addresses and leaves out what is none', () => {
    const header =
      '"Reyes, Marta" <marta@northwind.example>, undisclosed:;, broken, team: ben@siesta.example;';
    expect(addressesIn(header)).toEqual(['marta@northwind.example', 'ben@siesta.example']);
  });

  it('a very long address takes no time', () => {
    const started = performance.now();
    expect(mailAddress.safeParse('a'.repeat(60_000)).success).toBe(false);
    expect(performance.now() - started).toBeLessThan(100);
  });
});

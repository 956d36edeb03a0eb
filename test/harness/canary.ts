/** Looks for secrets in what came out of the app, in every form in which one could leave. */
import { type Document, MongoClient } from 'mongodb';

/** Name of a secret → its value. */
export type Secrets = Readonly<Record<string, string>>;

/** `secret: form` of everything that was found. */
export function leaksIn(sink: string | Buffer, secrets: Secrets): string[] {
  const haystack = typeof sink === 'string' ? Buffer.from(sink) : sink;
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(formsOf(secret))
      .filter(([, form]) => haystack.includes(form))
      .map(([kind, form]) => `${name}: ${kind}, …${around(haystack, form)}…`),
  );
}

function around(haystack: Buffer, form: string): string {
  const at = haystack.indexOf(form);
  return haystack.subarray(Math.max(0, at - 80), at + form.length + 20).toString('latin1');
}

/** Not the product's own list of forms: what it forgets has to be found here. */
export function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const forms: Record<string, string> = {
    raw: secret,
    json,
    'json in json': JSON.stringify(json).slice(1, -1),
    url: encodeURIComponent(secret),
    form: new URLSearchParams({ a: secret }).toString().slice(2),
    hex: bytes.toString('hex'),
    HEX: bytes.toString('hex').toUpperCase(),
    reversed: [...secret].reverse().join(''),
  };
  for (const offset of [0, 1, 2]) {
    // The characters that depend on the secret alone when so many bytes stand before it in a longer text.
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor(((offset + bytes.length) * 8) / 6);
    const longer = Buffer.concat([Buffer.alloc(offset), bytes]);
    forms[`base64+${offset}`] = longer.toString('base64').slice(from, to);
    forms[`base64url+${offset}`] = longer.toString('base64url').slice(from, to);
  }
  return forms;
}

/** Every document of every collection, as the bytes that are stored. */
export async function dumpDatabase(uri: string): Promise<{ bytes: Buffer; collections: readonly string[] }> {
  const client = await MongoClient.connect(uri);
  try {
    const names = (await client.db().listCollections().toArray()).map(({ name }) => name);
    const chunks: Uint8Array[] = [];
    for (const name of names) {
      const documents: unknown[] = await client
        .db()
        .collection<Document>(name)
        .find({}, { raw: true })
        .toArray();
      for (const document of documents) if (document instanceof Uint8Array) chunks.push(document);
    }
    return { bytes: Buffer.concat(chunks), collections: names };
  } finally {
    await client.close();
  }
}

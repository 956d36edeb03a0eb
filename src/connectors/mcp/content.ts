/** What a server answers with (specification 2025-11-25, "Tool Result", "Resource Contents"), as callers get it. */
import type { CallContext, JsonValue } from '../framework.js';
import { compact, objectOf, objectsIn, textOf } from '../json.js';
import type { JsonObject } from '../rest/schema.js';
import { cleanLine, cut } from './clean.js';

/** What is longer is cut; a caller that needs all of it asks the tool for less. */
const LONGEST_TEXT = 100_000;
const MOST_PARTS = 100;
const MOST_FILES = 20;

/** Turns one answer's parts into JSON, and its binary parts into files, which are at most 20. */
export class ContentReader {
  private files = 0;

  constructor(private readonly context: CallContext) {}

  /** `{content, truncated?}`: the first 100 parts. */
  async parts(value: JsonValue | undefined): Promise<JsonObject> {
    const parts = objectsIn(value);
    const content: JsonValue[] = [];
    for (const part of parts.slice(0, MOST_PARTS)) content.push(await this.part(part));
    return { content, ...(parts.length > MOST_PARTS && { truncated: true }) };
  }

  async part(part: JsonObject): Promise<JsonObject> {
    const type = textOf(part.type);
    switch (type) {
      case 'text':
        return { type, ...cut(textOf(part.text), LONGEST_TEXT) };
      case 'image':
      case 'audio':
        return { type, ...(await this.file(type, part.mimeType, textOf(part.data))) };
      case 'resource':
        return { type, ...(await this.resource(objectOf(part.resource))) };
      case 'resource_link':
        return compact({
          type,
          uri: textOf(part.uri),
          name: textOf(part.name),
          title: part.title,
          description: part.description,
          media_type: part.mimeType,
        });
      default:
        return { type: cleanLine(type, 40), left_out: 'Content of a kind that is not known here.' };
    }
  }

  /** Contents of a resource: its text, or its bytes as a file. */
  async resource({ uri, mimeType, text, blob }: JsonObject): Promise<JsonObject> {
    const about = compact({ uri: textOf(uri), media_type: mimeType });
    if (typeof blob !== 'string') return { ...about, ...cut(textOf(text), LONGEST_TEXT) };
    const name = cleanLine(textOf(uri).split(/[/\\]/).at(-1), 100);
    return { ...about, ...(await this.file('resource', mimeType, blob, name)) };
  }

  /** Structured content as it is; what is too long for a result becomes a file. */
  async structured(value: JsonValue): Promise<JsonObject> {
    const text = JSON.stringify(value);
    if (text.length <= LONGEST_TEXT) return { structured: value };
    const bytes = Buffer.from(text);
    return { structured: await this.keep({ name: 'structured.json', type: 'application/json', bytes }) };
  }

  private async file(
    kind: string,
    mimeType: JsonValue | undefined,
    base64: string,
    name = '',
  ): Promise<JsonObject> {
    const type = mediaType(mimeType);
    const bytes = Buffer.from(base64, 'base64');
    return this.keep({ name: name || `${kind}-${this.files + 1}.${extension(type)}`, type, bytes });
  }

  /** The call is made and cannot be taken back, so a file that cannot be kept is no reason to call it failed. */
  private async keep(content: { name: string; type: string; bytes: Buffer }): Promise<JsonObject> {
    const { name, type, bytes } = content;
    const leftOut = (left_out: string): JsonObject => ({
      name,
      type: type,
      size: bytes.byteLength,
      left_out,
    });
    if (++this.files > MOST_FILES) return { file: leftOut(`An answer brings at most ${MOST_FILES} files.`) };
    try {
      return { file: await this.context.files.save(content) };
    } catch {
      return { file: leftOut('It could not be kept.') };
    }
  }
}

function mediaType(value: JsonValue | undefined): string {
  const type = textOf(value).split(';')[0]?.trim().toLowerCase() ?? '';
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/.test(type) ? type : 'application/octet-stream';
}

/** `image/svg+xml` → `svg`. */
function extension(type: string): string {
  const subtype = type.split('/')[1]?.split('+')[0] ?? '';
  return /^[a-z0-9]{1,8}$/.test(subtype) ? subtype : 'bin';
}

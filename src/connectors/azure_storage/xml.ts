/** The XML of the Blob service. Pure. */
import { XMLParser } from 'fast-xml-parser';
import { UpstreamError } from '../../errors.js';
import type { JsonValue } from '../framework.js';
import { type JsonObject, objectOf, textOf } from '../json.js';

const LISTS = new Set(['Blob', 'BlobPrefix', 'Container', 'Tag']);
const parser = new XMLParser({
  // Names may look like numbers and may begin with a space; entities are read below, in one pass that expands nothing.
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  ignoreAttributes: false,
  parseAttributeValue: false,
  attributeNamePrefix: '@',
  isArray: (name) => LISTS.has(name),
});

/**
 * The root element's members; those that may repeat are arrays.
 * @throws UpstreamError `upstream_rejected`, not definite, for what is not XML of this service
 */
export function parseXml(text: string): JsonObject {
  try {
    if (/<!DOCTYPE/i.test(text)) throw new Error('a document type');
    const document = objectOf(parser.parse(text.replace(/^\uFEFF/, '')) as JsonValue);
    const root = Object.entries(document).find(([name]) => !/^[?#]/.test(name));
    return objectOf(root?.[1]);
  } catch (cause) {
    throw new UpstreamError('upstream_rejected', 'The answer of Azure Storage is not XML.', {
      definite: false,
      cause,
    });
  }
}

/** The text of an element; `''` where there is none. */
export function elementText(value: JsonValue | undefined): string {
  return decodeEntities(textOf(typeof value === 'string' ? value : objectOf(value)['#text']));
}

/** A name that XML cannot carry comes percent-encoded (Microsoft, "List Blobs", since 2021-02-12). */
export function elementName(value: JsonValue | undefined): string {
  const name = elementText(value);
  if (objectOf(value)['@Encoded'] !== 'true') return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const NAMED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return NAMED.get(name) ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

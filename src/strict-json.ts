/**
 * One JSON parser for everything that people approve. `JSON.parse` lets the last of two equal keys win and rounds
 * 12345678901234567890 silently: what a person reads on a card could differ from what an upstream reads. Anything
 * that two parsers may read differently is refused here (shared/RELIABILITY.md 2.5, abuse case 39).
 */
import type { JsonValue } from './connectors/framework.js';

/** Nesting of arrays and objects; far above real arguments, far below what exhausts a stack. */
export const MAX_JSON_DEPTH = 32;

export interface StrictJsonOptions {
  /** Default `MAX_JSON_DEPTH`. */
  readonly maxDepth?: number;
}

/** Why a value was refused. `path` is the JSON pointer of the place, `''` for the whole. */
export class StrictJsonError extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.name = 'StrictJsonError';
    this.path = path;
  }
}

/**
 * Parses UTF-8 JSON (RFC 8259) into plain objects. Refuses duplicate and `__proto__` keys, integers beyond ±(2^53−1),
 * numbers that overflow or vanish, lone surrogates, NUL, invalid UTF-8, a byte order mark, deep nesting and anything
 * after the value.
 * @throws StrictJsonError
 */
export function parseStrictJson(text: string | Uint8Array, options: StrictJsonOptions = {}): JsonValue {
  return new Parser(
    typeof text === 'string' ? text : decodeUtf8(text),
    options.maxDepth ?? MAX_JSON_DEPTH,
  ).parse();
}

/**
 * The same rules for a value that did not come from text (a form, a library's answer). Returns a copy of plain
 * objects and arrays; refuses what JSON cannot say (undefined, functions, dates, class instances …).
 * @throws StrictJsonError
 */
export function checkStrictValue(value: unknown, options: StrictJsonOptions = {}): JsonValue {
  return copyStrict(value, [], options.maxDepth ?? MAX_JSON_DEPTH);
}

type Path = readonly (string | number)[];

function refuse(path: Path, message: string): never {
  const pointer = path.map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
  throw new StrictJsonError(pointer.replace(/\p{Surrogate}/gu, '\ufffd'), message);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse([], 'The text is not valid UTF-8.');
  }
}

function checkText(text: string, path: Path): string {
  if (text.includes('\0')) refuse(path, 'A text contains the character NUL.');
  if (/\p{Surrogate}/u.test(text)) refuse(path, 'A text contains half of a character (a lone surrogate).');
  return text;
}

function checkKey(key: string, seen: object, path: Path): void {
  if (key === '__proto__') refuse(path, 'The key "__proto__" is not allowed.');
  if (Object.hasOwn(seen, key)) refuse(path, 'The same key appears twice.');
}

function checkNumber(value: number, path: Path): number {
  if (!Number.isFinite(value)) refuse(path, 'The number is too large.');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    refuse(path, 'The number is too large to be kept exactly (beyond 2^53 − 1). Send it as text.');
  }
  return value;
}

function copyStrict(value: unknown, path: Path, maxDepth: number): JsonValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return checkText(value, path);
  if (typeof value === 'number') return checkNumber(value, path);
  if (typeof value !== 'object')
    return refuse(path, `A value of type ${typeof value} cannot be sent as JSON.`);
  if (path.length >= maxDepth) refuse(path, `The value is nested deeper than ${maxDepth} levels.`);
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown, index) => copyStrict(item, [...path, index], maxDepth));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    refuse(path, 'Only plain objects can be sent as JSON.');
  const copy: { [key: string]: JsonValue } = {};
  for (const [key, item] of Object.entries(value)) {
    const place = [...path, key];
    checkKey(checkText(key, place), copy, place);
    copy[key] = copyStrict(item, place, maxDepth);
  }
  return copy;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Recursive descent over the text; `at` is the next character, `path` the place being parsed. */
class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  parse(): JsonValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#syntax('Something follows after the end of the JSON value');
    return value;
  }

  #value(): JsonValue {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): JsonValue {
    const object: { [key: string]: JsonValue } = {};
    this.#open();
    if (this.#take('}')) return object;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#syntax('A key in double quotes is expected');
      const key = this.#string();
      this.#path.push(key);
      checkKey(key, object, this.#path);
      if (!this.#take(':')) this.#syntax('":" is expected');
      object[key] = this.#value();
      this.#path.pop();
    } while (this.#take(','));
    if (!this.#take('}')) this.#syntax('"," or "}" is expected');
    return object;
  }

  #array(): JsonValue {
    const array: JsonValue[] = [];
    this.#open();
    if (this.#take(']')) return array;
    do {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
    } while (this.#take(','));
    if (!this.#take(']')) this.#syntax('"," or "]" is expected');
    return array;
  }

  #string(): string {
    const start = this.#at++;
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (Number.isNaN(code)) this.#syntax('A text is not closed');
      if (code < 0x20) this.#syntax('A text contains an unescaped control character');
      if (code === BACKSLASH) escaped = true;
      this.#at += code === BACKSLASH ? 2 : 1;
    }
    this.#at++;
    const raw = this.#text.slice(start, this.#at);
    return checkText(escaped ? this.#unescape(raw, start) : raw.slice(1, -1), this.#path);
  }

  #unescape(raw: string, start: number): string {
    try {
      return String(JSON.parse(raw));
    } catch {
      this.#at = start;
      return this.#syntax('A text contains an escape that JSON does not know');
    }
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const token = NUMBER.exec(this.#text)?.[0];
    if (token === undefined) return this.#syntax('A JSON value is expected');
    this.#at += token.length;
    const value = checkNumber(Number(token), this.#path);
    if (value === 0 && /[1-9]/.test(token.replace(/[eE].*/, '')))
      refuse(this.#path, 'The number is too small.');
    return value;
  }

  #word<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#syntax('A JSON value is expected');
    this.#at += word.length;
    return value;
  }

  #open(): void {
    if (this.#path.length >= this.#maxDepth) {
      refuse(this.#path, `The value is nested deeper than ${this.#maxDepth} levels.`);
    }
    this.#at++;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #syntax(expectation: string): never {
    return refuse(this.#path, `${expectation}, at character ${this.#at + 1}.`);
  }
}

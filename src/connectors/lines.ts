/** A JSON value as lines a person reads on a card: `requester.email: cleo@siesta.example`. Pure. */
import type { JsonValue } from './framework.js';

/** Every leaf is on a line (or lines) of its own; a text of several lines is indented, so it cannot pass for another field. */
export function readableLines(value: JsonValue, name = ''): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [line(name, '[]')];
    return value.flatMap((item, index) => readableLines(item, `${name}[${index + 1}]`));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return [line(name, '{}')];
    return entries.flatMap(([key, item]) =>
      readableLines(item, name === '' ? keyOf(key) : `${name}.${keyOf(key)}`),
    );
  }
  if (typeof value !== 'string') return [line(name, String(value))];
  const parts = value.split(/\r\n|[\n\r\u0085\u2028\u2029]/);
  if (parts.length === 1) return [line(name, plainly(value))];
  return [`${name === '' ? 'text' : name}:`, ...parts.map((part) => `    ${part}`)];
}

function line(name: string, value: string): string {
  return name === '' ? value : `${name}: ${value}`;
}

function keyOf(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

/** Quotes a text that would read as something else: "5" is not 5, "" is not nothing. */
function plainly(value: string): string {
  const misread =
    value === '' ||
    value !== value.trim() ||
    /^(true|false|null|\[\]|\{\}|-?[\d.]+([eE][+-]?\d+)?)$/.test(value);
  return misread ? JSON.stringify(value) : value;
}

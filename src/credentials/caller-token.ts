/**
 * The bearer tokens of callers: `siesta_`, 256 random bits in base62, and a CRC-32 of all before it, so that secret
 * scanners and our own redaction recognise one without asking. Only the SHA-256 is stored: the token is random, a
 * slow hash would add nothing (shared/RELIABILITY.md 2.2).
 */
import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { sha256Hex } from '../canonical.js';

const PREFIX = 'siesta_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^43 > 2^256. */
const RANDOM_DIGITS = 43;
/** 62^6 > 2^32. */
const CHECKSUM_DIGITS = 6;
const SHAPE = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_DIGITS + CHECKSUM_DIGITS}}$`);
/** Enough to tell tokens apart in a list, too little to guess the rest. */
const SHOWN = PREFIX.length + 4;

export interface NewCallerToken {
  /** Shown once, never stored. */
  readonly token: string;
  /** What is stored and looked up. */
  readonly hash: string;
  /** The first characters, for lists. */
  readonly prefix: string;
}

export function newCallerToken(): NewCallerToken {
  const random = Array.from({ length: RANDOM_DIGITS }, () => DIGITS[randomInt(DIGITS.length)]).join('');
  const body = `${PREFIX}${random}`;
  const token = `${body}${checksum(body)}`;
  return { token, hash: hashCallerToken(token), prefix: token.slice(0, SHOWN) };
}

/** SHA-256 of the token, 64 hex digits. */
export function hashCallerToken(token: string): string {
  return sha256Hex(token);
}

/** Whether the text can be a caller token at all: shape and checksum, without asking the database. */
export function isCallerToken(text: string): boolean {
  if (!SHAPE.test(text)) return false;
  const body = text.slice(0, -CHECKSUM_DIGITS);
  return text === `${body}${checksum(body)}`;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_DIGITS; i++) {
    digits = `${DIGITS[rest % DIGITS.length]}${digits}`;
    rest = Math.floor(rest / DIGITS.length);
  }
  return digits;
}

/**
 * Secrets at rest (shared/RELIABILITY.md 2.2): each record has a data key of its own, which the key ring wraps, and
 * is bound to where it belongs, so that a record copied elsewhere in the database, or an older one put back, fails.
 */
import { randomBytes } from 'node:crypto';
import { decryptGcm, EnvelopeError, encryptGcm, type GcmBox, KEY_BYTES } from './aes-gcm.js';
import type { KeyProvider } from './key-ring.js';

export { EnvelopeError } from './aes-gcm.js';

/** Where a secret belongs. No part may contain `|` or be empty. */
export interface EnvelopeContext {
  readonly workspaceId: string;
  readonly connectionId: string;
  /** The member's id, or `shared`. */
  readonly subject: string;
  /** Rises on reconnect and rotation; an older record put back does not open. */
  readonly generation: number;
  /** What the secret is: `credential`, `arguments` … */
  readonly field: string;
}

/** As stored in MongoDB: strings and numbers only. */
export interface EnvelopeRecord extends GcmBox {
  readonly v: 1;
  readonly alg: 'A256GCM';
  readonly kekId: string;
  readonly wrappedDek: GcmBox;
}

/** @throws EnvelopeError when a part of `aad` is empty or ambiguous */
export function seal(keys: KeyProvider, plaintext: string | Buffer, aad: EnvelopeContext): EnvelopeRecord {
  const bound = associatedData(aad);
  const dek = randomBytes(KEY_BYTES);
  const box = encryptGcm(dek, typeof plaintext === 'string' ? Buffer.from(plaintext) : plaintext, bound);
  const { kekId, ...wrappedDek } = keys.wrap(dek, bound);
  dek.fill(0);
  return { v: 1, alg: 'A256GCM', kekId, wrappedDek, ...box };
}

/**
 * The plaintext. Use it for the call at hand and keep no copy.
 * @throws EnvelopeError when the record was changed, belongs elsewhere, or its key is not configured
 */
export function open(keys: KeyProvider, record: EnvelopeRecord, aad: EnvelopeContext): Buffer {
  const bound = associatedData(aad);
  const dek = unwrapDek(keys, record, bound);
  const plaintext = decryptGcm(dek, record, bound);
  dek.fill(0);
  return plaintext;
}

/**
 * Rotation: the same ciphertext, its data key wrapped with the current key. A record that already has it comes back
 * as it is.
 * @throws EnvelopeError as `open`
 */
export function rewrap(keys: KeyProvider, record: EnvelopeRecord, aad: EnvelopeContext): EnvelopeRecord {
  if (record.kekId === keys.currentKeyId) return record;
  const bound = associatedData(aad);
  const dek = unwrapDek(keys, record, bound);
  const { kekId, ...wrappedDek } = keys.wrap(dek, bound);
  dek.fill(0);
  return { ...record, kekId, wrappedDek };
}

function unwrapDek(keys: KeyProvider, record: EnvelopeRecord, bound: Buffer): Buffer {
  if (record.v !== 1 || record.alg !== 'A256GCM')
    throw new EnvelopeError('The record has an unknown format.');
  return keys.unwrap({ kekId: record.kekId, ...record.wrappedDek }, bound);
}

function associatedData(context: EnvelopeContext): Buffer {
  const { workspaceId, connectionId, subject, generation, field } = context;
  if (!Number.isSafeInteger(generation) || generation < 0)
    throw new EnvelopeError('The generation is not a count.');
  const parts = [workspaceId, connectionId, subject, String(generation), field];
  if (parts.some((part) => part === '' || part.includes('|'))) {
    throw new EnvelopeError('A part of the context is empty or contains "|".');
  }
  return Buffer.from(['v1', ...parts].join('|'));
}

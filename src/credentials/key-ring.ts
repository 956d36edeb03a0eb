/**
 * The keys that encrypt the keys. `ENCRYPTION_KEYS` holds them today; a cloud key service would be another
 * `KeyProvider`.
 */
import { randomBytes } from 'node:crypto';
import { decryptGcm, EnvelopeError, encryptGcm, type GcmBox, KEY_BYTES } from './aes-gcm.js';

/** A data key encrypted with the key `kekId`. */
export interface WrappedKey extends GcmBox {
  readonly kekId: string;
}

export interface KeyProvider {
  /** The key that wraps new data keys. */
  readonly currentKeyId: string;
  wrap(dek: Buffer, aad: Buffer): WrappedKey;
  /** @throws EnvelopeError when the key is not known, or the wrapped key was changed or belongs elsewhere. */
  unwrap(wrapped: WrappedKey, aad: Buffer): Buffer;
}

/**
 * Reads `id:base64key[,id:base64key…]` (32-byte keys). The first key encrypts; the others only decrypt what was
 * encrypted with them before.
 * @throws EnvelopeError with what is wrong with which key, never the key itself
 */
export function parseKeyRing(text: string): KeyProvider {
  const keys = new Map<string, Buffer>();
  for (const [index, entry] of text.split(',').entries()) {
    const { id, key } = parseEntry(entry.trim(), index + 1);
    if (keys.has(id)) throw new EnvelopeError(`The key id "${id}" appears twice.`);
    keys.set(id, key);
  }
  return keyRing(keys);
}

/** A new random key as text, ready to be put in front of `ENCRYPTION_KEYS`. */
export function newKeyText(): string {
  return `k${randomBytes(4).toString('hex')}:${randomBytes(KEY_BYTES).toString('base64')}`;
}

function parseEntry(entry: string, position: number): { id: string; key: Buffer } {
  const [, id, encoded] = /^([A-Za-z0-9_.-]{1,64}):(.*)$/.exec(entry) ?? [];
  if (id === undefined || encoded === undefined) {
    throw new EnvelopeError(
      `Key ${position} is not of the form id:base64key (id: letters, digits, "_", "-", ".").`,
    );
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) throw new EnvelopeError(`The key "${id}" is not base64.`);
  const key = Buffer.from(encoded, 'base64');
  if (key.length !== KEY_BYTES) {
    throw new EnvelopeError(`The key "${id}" has ${key.length} bytes; ${KEY_BYTES} are needed.`);
  }
  return { id, key };
}

function keyRing(keys: ReadonlyMap<string, Buffer>): KeyProvider {
  const find = (id: string): Buffer => {
    const key = keys.get(id);
    if (!key) throw new EnvelopeError(`The encryption key "${id}" is not among the configured keys.`);
    return key;
  };
  const [currentKeyId = ''] = keys.keys();
  return {
    currentKeyId,
    wrap: (dek, aad) => ({ kekId: currentKeyId, ...encryptGcm(find(currentKeyId), dek, aad) }),
    unwrap: (wrapped, aad) => decryptGcm(find(wrapped.kekId), wrapped, aad),
  };
}

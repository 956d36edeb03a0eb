/** AES-256-GCM as stored: base64 parts, a fresh 96-bit IV each time, and never a tag shorter than 16 bytes. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Bytes of a key. */
export const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** What came out of the cipher, each part in base64. */
export interface GcmBox {
  readonly iv: string;
  readonly ct: string;
  readonly tag: string;
}

/** Why a secret could not be sealed or opened. The message names no secret and no key. */
export class EnvelopeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EnvelopeError';
  }
}

export function encryptGcm(key: Buffer, plaintext: Buffer, aad: Buffer): GcmBox {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ct = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return {
    iv: iv.toString('base64'),
    ct: ct.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

/** @throws EnvelopeError when the box was changed, or was made with another key or other associated data. */
export function decryptGcm(key: Buffer, box: GcmBox, aad: Buffer): Buffer {
  const iv = fromBase64(box.iv, IV_BYTES);
  const tag = fromBase64(box.tag, TAG_BYTES);
  const ct = fromBase64(box.ct);
  // Without authTagLength Node accepts a tag cut to 4 bytes.
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(ct), decipher.final()]);
  } catch {
    throw new EnvelopeError('The record was changed, or belongs to something else.');
  }
}

function fromBase64(text: string, length?: number): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const whole = bytes.toString('base64') === text && (length === undefined || bytes.length === length);
  if (!whole) throw new EnvelopeError('The record is damaged: a part is not base64 of the right length.');
  return bytes;
}

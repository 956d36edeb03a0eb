import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/canonical.js';
import { hashCallerToken, isCallerToken, newCallerToken } from '../../src/credentials/caller-token.js';
import { looksLikeSecret, redactText } from '../../src/redact.js';

describe('caller tokens', () => {
  it('are random, checkable and stored as a hash', () => {
    const tokens = Array.from({ length: 200 }, newCallerToken);
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(200);
    for (const { token, hash, prefix } of tokens) {
      expect(token).toMatch(/^siesta_[0-9A-Za-z]{49}$/);
      expect(isCallerToken(token)).toBe(true);
      expect(hash).toBe(sha256Hex(token));
      expect(hash).toBe(hashCallerToken(token));
      expect(token.startsWith(prefix)).toBe(true);
      expect(prefix).toHaveLength(11);
    }
  });

  it('are refused with any one character changed, cut or added', () => {
    const { token } = newCallerToken();
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'x' ? 'y' : 'x';
      expect(isCallerToken(token.slice(0, i) + other + token.slice(i + 1))).toBe(false);
    }
    for (const text of ['', 'siesta_', token.slice(0, -1), `${token}0`, ` ${token}`, `${token}\n`]) {
      expect(isCallerToken(text)).toBe(false);
    }
  });

  it('are recognised by redaction', () => {
    const { token } = newCallerToken();
    expect(redactText(`bearer=${token}`)).not.toContain(token.slice(11));
    expect(looksLikeSecret(token)).toBe(true);
  });
});

/** Where a connection of an imported API may go. */
import { describe, expect, it } from 'vitest';
import { parseBaseUrl, restConnector } from '../../src/connectors/rest/index.js';

describe('the base URL', () => {
  it.each([
    'ftp://a.example',
    'https://user:fake-password@a.example',
    'https://a.example/?x=1',
    'https://a.example/#x',
    'https://a.example/a/../b',
    'https://a.example/%2e%2e/b',
    'https://a.example//b',
    'a.example',
  ])('%s is not a base URL', (base) => {
    expect(() => parseBaseUrl(base, () => true)).toThrow(/base URL/);
    expect(restConnector.config.safeParse({ base_url: base, operations: [] }).success).toBe(false);
  });

  it('http is for what the operator let through', () => {
    const allowed = (hostAndPort: string) => hostAndPort === '127.0.0.1:8080';
    expect(parseBaseUrl(' http://127.0.0.1:8080/v1/ ', allowed)).toBe('http://127.0.0.1:8080/v1');
    expect(parseBaseUrl('https://api.example.com', allowed)).toBe('https://api.example.com');
    expect(() => parseBaseUrl('http://api.example.com', allowed)).toThrow('must begin with https://');
  });

  it('reaches only below the base URL', () => {
    const egress = restConnector.egress({ base_url: 'https://api.example.com/v1/', operations: [] }, '');
    expect(egress).toEqual([{ origin: 'https://api.example.com', pathPrefix: '/v1/' }]);
  });
});

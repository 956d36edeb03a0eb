import { describe, expect, it } from 'vitest';
import { publicUrlProblem } from '../../src/connectors/public-url.js';
import { addressRefusal } from '../../src/net/address-guard.js';

describe('addresses that are handed to another system', () => {
  it.each([
    'https://example.com',
    'http://example.com:8080/a?b=c#d',
    'https://EXAMPLE.com./',
    'https://bücher.example/straße',
    'https://a_b.example.com/*',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]/',
    'https://notlocalhost.com/',
    'https://local.example.com/',
  ])('%s may be', (url) => {
    expect(publicUrlProblem(url)).toBeUndefined();
  });

  it.each([
    ['ftp://example.com/', 'begin with'],
    ['javascript:alert(1)', 'begin with'],
    ['//example.com/', 'complete address'],
    ['https:\\\\example.com/', 'complete address'],
    ['https://example.com/a b', 'complete address'],
    ['https://example.com/\u0000', 'complete address'],
    [`https://example.com/${'x'.repeat(2_048)}`, 'complete address'],
    ['https://user@example.com/', 'user name'],
    ['https://example.com:secret@evil.example/', 'user name'],
  ])('%j may not: %s', (url, problem) => {
    expect(publicUrlProblem(url)).toContain(problem);
  });

  it.each([
    'localhost',
    'LOCALHOST.',
    'app.localhost',
    'printer.local',
    'wiki.internal',
    'nas.home.arpa',
    'router',
    '*.example.com',
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '０.０.０.０',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '168.63.129.16',
    '192.168.0.1',
    '[::1]',
    '[::]',
    '[::ffff:10.0.0.1]',
    '[64:ff9b::a00:1]',
    '[2002:a00:1::]',
    '[fd00::1]',
    '[fe80::1]',
    '[::7f00:1]',
  ])('%s is not on the public internet', (host) => {
    expect(publicUrlProblem(`https://${host}/`)).toMatch(/public internet|complete address/);
  });

  it('are judged as those that this process connects to', () => {
    const addresses = ['8.8.8.8', '10.0.0.1', '100.64.0.1', '127.0.0.1', '168.63.129.16', '169.254.169.254'];
    const ranges = [
      '192.0.2.1',
      '198.18.0.1',
      '203.0.113.9',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '0.0.0.0',
    ];
    const wide = [
      '2606:4700:4700::1111',
      '::1',
      '::',
      'fd00::1',
      'fe80::1',
      '2001:db8::1',
      '2002:a00:1::',
      '::7f00:1',
    ];
    for (const address of [...addresses, ...ranges, ...wide]) {
      const url = address.includes(':') ? `https://[${address}]/` : `https://${address}/`;
      expect(publicUrlProblem(url) === undefined, address).toBe(addressRefusal(address) === undefined);
    }
  });
});

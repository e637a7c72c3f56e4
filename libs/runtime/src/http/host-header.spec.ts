import { expect, it } from 'vitest';
import { hostFault } from './host-header.ts';

it.each([
  [['Host', 'shop.example']],
  [['hOsT', 'shop.example:3001', 'Accept', 'host']],
  [['Host', '[::1]:3001']],
  [['Host', '127.0.0.1']],
  [['Host', '']],
])('one valid Host header is accepted: %j', (rawHeaders) => expect(hostFault(rawHeaders, '1.1')).toBeUndefined());

it('a missing Host header is a fault in HTTP/1.1 but not in HTTP/1.0', () => {
  expect(hostFault(['Accept', 'Host'], '1.1')).toBe('is required in HTTP/1.1');
  expect(hostFault([], '1.0')).toBeUndefined();
});

it('a second Host header is a fault, even if it is equal or the request is HTTP/1.0', () => {
  expect(hostFault(['Host', 'a', 'HOST', 'a'], '1.1')).toBe('must come once, not 2 times');
  expect(hostFault(['Host', 'a', 'host', 'b'], '1.0')).toBe('must come once, not 2 times');
});

it.each(['a b', 'http://a', 'user@a', 'a/b', 'a?b', '[::1', 'a:port', 'a:1:2', '%zz'])('%j is not a host', (value) => {
  expect(hostFault(['Host', value], '1.1')).toMatch(/^must be a host name/);
});

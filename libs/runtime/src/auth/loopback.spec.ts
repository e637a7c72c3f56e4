import { describe, expect, it } from 'vitest';
import { isLoopback, isLoopbackHostHeader } from './loopback.ts';

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])('isLoopback is true for %s', (host) =>
    expect(isLoopback(host)).toBe(true),
  );
  it.each(['0.0.0.0', '::', '10.0.0.1', '192.168.1.1', 'example.org', '127.0.0.1.example.org', ''])(
    'isLoopback is false for "%s"',
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

describe('isLoopbackHostHeader', () => {
  it.each(['127.0.0.1:3001', 'localhost', '[::1]:3001', '[::1]'])('isLoopbackHostHeader is true for %s', (header) =>
    expect(isLoopbackHostHeader(header)).toBe(true),
  );
  it.each(['evil.example:3001', '127.0.0.1.evil.example', undefined])('isLoopbackHostHeader is false for %s', (header) =>
    expect(isLoopbackHostHeader(header)).toBe(false),
  );

  it('isLoopbackHostHeader is false for another name after it was true for one', () => {
    expect(['localhost', 'evil.example', 'localhost', undefined].map(isLoopbackHostHeader)).toEqual([true, false, true, false]);
  });
});

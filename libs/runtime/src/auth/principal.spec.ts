import { describe, expect, it } from 'vitest';
import { type PrincipalId, anonymous, principalKey, samePrincipal } from './principal.ts';

const jwt = (issuer: string, subject: string): PrincipalId => ({ kind: 'jwt', issuer, subject });

const distinct: readonly PrincipalId[] = [
  jwt('https://x', 'alice'),
  jwt('https://y', 'alice'),
  jwt('https://x', 'bob'),
  jwt('', 'alice'),
  jwt('https://x","alice', ''),
  jwt('https://x\nalice', ''),
  jwt('https://x', '\nalice'),
  jwt('https://x', '\ud800'),
  jwt('https://x', '\ud801'),
  { kind: 'api-key', issuer: '', subject: 'alice' },
  anonymous,
];

describe('principals', () => {
  it('two principals are the same only if kind, issuer and subject are equal', () => {
    for (const [index, one] of distinct.entries()) {
      expect(distinct.map((other) => samePrincipal(one, other))).toEqual(distinct.map((_, at) => at === index));
    }
  });

  it('each principal has a different key text', () => {
    expect(new Set(distinct.map(principalKey)).size).toBe(distinct.length);
    expect(principalKey({ ...jwt('https://x', 'alice') })).toBe('["jwt","https://x","alice"]');
  });
});

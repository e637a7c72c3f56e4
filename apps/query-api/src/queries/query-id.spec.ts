import { createHash } from 'node:crypto';
import type { PrincipalId } from '@millrace/runtime';
import { expect, it } from 'vitest';
import { idOfKey } from './query-id.ts';

const alice: PrincipalId = { kind: 'jwt', issuer: 'https://x', subject: 'alice' };
const secret = 's'.repeat(32);

it('an id is a UUID, and the same for the same secret, principal and key', () => {
  expect(idOfKey(secret, alice, 'nightly')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(idOfKey(secret, { ...alice }, 'nightly')).toBe(idOfKey(secret, alice, 'nightly'));
});

it('another secret, kind, issuer, subject or key gives another id, however the parts are divided', () => {
  const ids = [
    idOfKey(secret, alice, 'nightly'),
    idOfKey('t'.repeat(32), alice, 'nightly'),
    idOfKey(secret, { ...alice, kind: 'api-key' }, 'nightly'),
    idOfKey(secret, { ...alice, issuer: 'https://y' }, 'nightly'),
    idOfKey(secret, { ...alice, subject: 'bob' }, 'nightly'),
    idOfKey(secret, alice, 'nightly2'),
    idOfKey(secret, { ...alice, subject: 'alice\nnight' }, 'ly'),
    idOfKey(secret, { ...alice, subject: 'alice","night' }, 'ly'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

it('an id is not a hash of public values', () => {
  for (const text of [
    'alice\nnightly',
    '["jwt","https://x","alice"]\nnightly',
    JSON.stringify(['["jwt","https://x","alice"]', 'nightly']),
  ]) {
    expect(createHash('sha256').update(text).digest('hex').slice(0, 8)).not.toBe(idOfKey(secret, alice, 'nightly').slice(0, 8));
  }
});

import { expect, it } from 'vitest';
import type { CallGuard } from '../guards.ts';
import { SharedIdSecret } from './id-secret.ts';

const guard: CallGuard = async (_call, run) => await run(new AbortController().signal);
const down: CallGuard = async () => await Promise.reject(new Error('ECONNREFUSED'));

/** Redis with `GET` and `SET … NX` over one map. */
function fakeRedis() {
  const values = new Map<string, string>();
  return {
    values,
    get: async (key: string) => values.get(key) ?? null,
    set: async (key: string, value: string) => {
      if (values.has(key)) return null;
      values.set(key, value);
      return 'OK';
    },
  };
}

it('instances that start at once agree on one secret', async () => {
  const redis = fakeRedis();
  const instances = Array.from({ length: 5 }, () => new SharedIdSecret(redis as never, 'queue', guard));
  const secrets = await Promise.all(instances.map(async (instance) => await instance.read({})));
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]).toMatch(/^[\w-]{43}$/);
});

it('instances agree again after Redis has lost the secret', async () => {
  const redis = fakeRedis();
  const [one, other] = [new SharedIdSecret(redis as never, 'queue', guard), new SharedIdSecret(redis as never, 'queue', guard)];
  const first = await one.read({});
  redis.values.clear();
  const second = await other.read({});
  expect(second).not.toBe(first);
  expect(await one.read({})).toBe(second);
});

it('a Redis that does not answer causes a refusal, not an id without a secret', async () => {
  await expect(new SharedIdSecret(fakeRedis() as never, 'queue', down).read({})).rejects.toMatchObject({ code: 'unavailable' });
});

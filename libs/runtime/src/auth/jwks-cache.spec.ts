import { type JSONWebKeySet, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JwksCache } from './jwks-cache.ts';

const sets: Record<string, JSONWebKeySet> = {};
beforeAll(async () => {
  for (const kid of ['one', 'two']) {
    const { publicKey } = await generateKeyPair('ES256');
    sets[kid] = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256' }] };
  }
});

let nowMs: number;
let fetches: number;
let answer: () => Promise<JSONWebKeySet>;
let cache: JwksCache;
beforeEach(() => {
  nowMs = 0;
  fetches = 0;
  answer = () => Promise.resolve(sets['one']!);
  cache = new JwksCache({
    freshMs: 1000,
    staleMsMax: 100_000,
    cooldownMs: 100,
    now: () => nowMs,
    fetchJwks: () => {
      fetches += 1;
      return answer();
    },
  });
});

const keyFor = (kid: string): Promise<unknown> => cache.keyFor({ alg: 'ES256', kid }, { payload: '', signature: '' });
const away = (): Promise<never> => Promise.reject(new Error('connection refused'));

describe('JwksCache', () => {
  it('concurrent callers share one fetch, and fresh keys are not fetched again', async () => {
    await Promise.all([keyFor('one'), keyFor('one')]);
    nowMs = 999;
    await keyFor('one');
    expect(fetches).toBe(1);
    nowMs = 1000;
    await keyFor('one');
    expect(fetches).toBe(2);
  });

  it('an unknown key id causes a new fetch, so a key rotation works', async () => {
    await keyFor('one');
    answer = () => Promise.resolve(sets['two']!);
    nowMs = 100;
    await expect(keyFor('two')).resolves.toBeDefined();
  });

  it('repeated unknown key ids cause only one fetch', async () => {
    await keyFor('one');
    nowMs = 200;
    await expect(keyFor('made-up')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    await expect(keyFor('made-up')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(fetches).toBe(2);
  });

  it('the cached keys stay in use during an outage of the issuer, up to a limit', async () => {
    await keyFor('one');
    answer = away;
    nowMs = 50_000;
    await expect(keyFor('one')).resolves.toBeDefined();
    await expect(keyFor('one')).resolves.toBeDefined();
    expect(fetches).toBe(2);
    nowMs = 100_000;
    await expect(keyFor('one')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('a known key does not wait for an issuer that is known to be down', async () => {
    await keyFor('one');
    answer = away;
    nowMs = 50_000;
    await keyFor('one');
    nowMs = 60_000;
    answer = () => new Promise(() => undefined);
    await expect(keyFor('one')).resolves.toBeDefined();
    expect(fetches).toBe(3);
  });

  it('an unknown key id is answered with "unavailable" while the issuer is down, also in the pause after a failed fetch', async () => {
    await keyFor('one');
    answer = away;
    nowMs = 100;
    const unavailable = { code: 'unavailable', details: { retryAfterSeconds: 0.1 } };
    await expect(keyFor('two')).rejects.toMatchObject(unavailable);
    await expect(keyFor('two')).rejects.toMatchObject(unavailable);
    await expect(keyFor('one')).resolves.toBeDefined();
    expect(fetches).toBe(2);
    nowMs = 200;
    answer = () => Promise.resolve({ keys: 'none' } as unknown as JSONWebKeySet);
    await expect(keyFor('two')).rejects.toMatchObject(unavailable);
  });

  it('all callers who wait for one fetch get the new key', async () => {
    await keyFor('one');
    answer = () => Promise.resolve(sets['two']!);
    nowMs = 100;
    expect(await Promise.allSettled([keyFor('two'), keyFor('two')])).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    expect(fetches).toBe(2);
  });

  it('a missing key set fails with "unavailable" and is fetched again after a pause', async () => {
    answer = away;
    await expect(keyFor('one')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(keyFor('one')).rejects.toMatchObject({ code: 'unavailable' });
    expect(fetches).toBe(1);
    nowMs = 100;
    answer = () => Promise.resolve(sets['one']!);
    await expect(keyFor('one')).resolves.toBeDefined();
  });
});

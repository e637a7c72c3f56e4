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

describe("the issuer's keys", () => {
  it('are fetched once for all who wait, and not again while they are fresh', async () => {
    await Promise.all([keyFor('one'), keyFor('one')]);
    nowMs = 999;
    await keyFor('one');
    expect(fetches).toBe(1);
    nowMs = 1000;
    await keyFor('one');
    expect(fetches).toBe(2);
  });

  it('are fetched again for a key id that is not known, as a rotation needs', async () => {
    await keyFor('one');
    answer = () => Promise.resolve(sets['two']!);
    nowMs = 100;
    await expect(keyFor('two')).resolves.toBeDefined();
  });

  it('are not fetched again and again for made-up key ids', async () => {
    await keyFor('one');
    nowMs = 200;
    await expect(keyFor('made-up')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    await expect(keyFor('made-up')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(fetches).toBe(2);
  });

  it('stay in use while the issuer is down, up to a limit', async () => {
    await keyFor('one');
    answer = away;
    nowMs = 50_000;
    await expect(keyFor('one')).resolves.toBeDefined();
    await expect(keyFor('one')).resolves.toBeDefined();
    expect(fetches).toBe(2);
    nowMs = 100_000;
    await expect(keyFor('one')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('that are known do not wait for an issuer that is known to be down', async () => {
    await keyFor('one');
    answer = away;
    nowMs = 50_000;
    await keyFor('one');
    nowMs = 60_000;
    answer = () => new Promise(() => undefined);
    await expect(keyFor('one')).resolves.toBeDefined();
    expect(fetches).toBe(3);
  });

  it('that are not known are not denied while the issuer is down: neither by the failed fetch nor in the pause after it', async () => {
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

  it('that are new are had by all who ask while they are fetched', async () => {
    await keyFor('one');
    answer = () => Promise.resolve(sets['two']!);
    nowMs = 100;
    expect(await Promise.allSettled([keyFor('two'), keyFor('two')])).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    expect(fetches).toBe(2);
  });

  it('are missing with a problem that is ours, not the caller’s, and asked for again after a pause', async () => {
    answer = away;
    await expect(keyFor('one')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(keyFor('one')).rejects.toMatchObject({ code: 'unavailable' });
    expect(fetches).toBe(1);
    nowMs = 100;
    answer = () => Promise.resolve(sets['one']!);
    await expect(keyFor('one')).resolves.toBeDefined();
  });
});

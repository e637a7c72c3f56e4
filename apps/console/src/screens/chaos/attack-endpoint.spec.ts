import { attacksPath } from '@millrace/contracts';
import { afterEach, expect, it, vi } from 'vitest';
import { session } from '../../api/session.ts';
import { askEndpoint, startRoute } from './attack-endpoint.ts';

afterEach(() => vi.unstubAllGlobals());

it('an attack is started with its values', () => {
  expect(startRoute('latency', 'kafka', 20, '')).toBe('/start?attack=latency&target=kafka&seconds=20');
  expect(startRoute('dns', 's3', 5, ' mode=slow  delayMs=200 odd=a=b ')).toBe(
    '/start?attack=dns&target=s3&seconds=5&mode=slow&delayMs=200&odd=a%3Db',
  );
});

it('the endpoint is asked without a credential, and its refusal is shown', async () => {
  const asked: unknown[] = [];
  session.value = {
    state: 'signed-in',
    caller: { kind: 'anonymous', issuer: '', subject: '', scopes: ['admin'], chaosUrl: 'http://127.0.0.1:3010' },
  };
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    asked.push([url, init.credentials, init.headers]);
    return await Promise.resolve(Response.json({ status: 409, detail: '3 attacks run already.' }, { status: 409 }));
  });
  await expect(askEndpoint('/stop')).rejects.toMatchObject({ message: '3 attacks run already.', retryable: false });
  expect(asked).toEqual([[`http://127.0.0.1:3010${attacksPath}/stop`, 'omit', undefined]]);
});

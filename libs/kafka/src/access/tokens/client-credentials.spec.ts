import { afterEach, expect, it, vi } from 'vitest';
import { clientCredentials } from './client-credentials.ts';

afterEach(() => void vi.unstubAllGlobals());

function answering(status: number, body: unknown) {
  const requests: { readonly url: string; readonly init: RequestInit }[] = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    requests.push({ url, init });
    return await Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  const fetchToken = clientCredentials({ url: 'https://issuer/token', clientId: 'a:b', clientSecret: () => 's/1', scope: 'kafka' });
  return { requests, fetchToken };
}

it('the request uses basic authentication, and the answer gives the lifetime of the token', async () => {
  const { requests, fetchToken } = answering(200, { access_token: 't', expires_in: 20 });
  const before = Date.now();
  const { value, expiresMs } = await fetchToken();
  expect(value).toBe('t');
  expect(expiresMs - before).toBeGreaterThanOrEqual(20_000);
  const { url, init } = requests[0]!;
  expect([url, init.method, String(init.body as URLSearchParams)]).toEqual([
    'https://issuer/token',
    'POST',
    'grant_type=client_credentials&scope=kafka',
  ]);
  const { authorization } = init.headers as Record<string, string>;
  expect(Buffer.from(authorization!.replace('Basic ', ''), 'base64').toString()).toBe('a%3Ab:s%2F1');
});

it.each([
  [401, { error: 'invalid_client' }, 'token-refused', 'The token endpoint answered 401: invalid_client.'],
  [503, {}, 'token-unavailable', 'The token endpoint answered 503.'],
  [429, {}, 'token-unavailable', 'The token endpoint answered 429.'],
  [200, {}, 'token-refused', 'The answer of the token endpoint holds no access_token.'],
])('the answer %i %o is an error that says whether a retry helps', async (status, body, code, message) => {
  await expect(answering(status, body).fetchToken()).rejects.toMatchObject({ code, message });
});

it('an unreachable token endpoint fails with a retryable error', async () => {
  const { fetchToken } = answering(200, {});
  vi.stubGlobal('fetch', async () => await Promise.reject(new TypeError('fetch failed')));
  await expect(fetchToken()).rejects.toMatchObject({ code: 'token-unavailable', retryable: true });
});

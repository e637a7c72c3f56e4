import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { RunningService } from '@millrace/runtime';
import { request } from 'node:http';
import { openTestIssuer, testClientId } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consolePolicy } from './console/console-files.ts';
import { startTestApi, testKey } from './testing-api.ts';
import { openTestLake, type TestLake } from './testing-lake.ts';

let lake: TestLake;
let api: RunningService;

beforeAll(async () => {
  lake = await openTestLake();
  ({ api } = await startTestApi(lake, [testKey('analyst', 'queries:run')]));
});
afterAll(async () => {
  await api?.close();
  await lake?.close();
});

/** The bytes as they were sent, for the path as it is: `fetch` would decode the bytes and shorten the path. */
async function getRaw(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }> {
  const { hostname, port } = new URL(api.url);
  return await new Promise((resolve, reject) => {
    request({ hostname, port, path, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }));
    })
      .on('error', reject)
      .end();
  });
}

describe('/console', () => {
  it('the page needs no credentials, has a strict policy, and is checked at each visit', async () => {
    const page = await getRaw('/console');
    expect(page).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': consolePolicy([]),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-cache',
      },
    });
    expect(consolePolicy([])).not.toContain('unsafe');
    expect(await getRaw('/console', { 'if-none-match': String(page.headers['etag']) })).toMatchObject({ status: 304 });
  });

  it('with a client at an issuer, the page may connect to the issuer, and /v1/sign-in names both without credentials', async () => {
    expect(JSON.parse((await getRaw('/v1/sign-in')).body.toString('utf8'))).toEqual({});
    const issuer = await openTestIssuer();
    const more = { ...issuer.settings, QUERY_CONSOLE_OIDC_CLIENT_ID: testClientId };
    const { api: own } = await startTestApi(lake, [testKey('operator', 'admin')], { more });
    try {
      const page = await fetch(`${own.url}/console`);
      expect(page.headers.get('content-security-policy')).toBe(consolePolicy([issuer.name]));
      expect(consolePolicy([issuer.name])).toContain(`; connect-src 'self' ${issuer.name}; `);
      expect(await (await fetch(`${own.url}/v1/sign-in`)).json()).toEqual({
        oidc: { issuer: issuer.name, clientId: testClientId, scope: 'openid purchases:write queries:run admin', audience: 'millrace' },
      });
    } finally {
      await Promise.all([own.close(), issuer.close()]);
    }
  });

  it('any path of a screen answers with the page, and a missing file is 404', async () => {
    const page = await getRaw('/console');
    expect((await getRaw('/console/tables/purchases')).body.equals(page.body)).toBe(true);
    expect((await getRaw('/console/../package.json')).body.equals(page.body)).toBe(true);
    expect(await getRaw('/console/assets/none.js')).toMatchObject({ status: 404 });
  });

  it('each file of the page is compressed in advance and may be kept for a year', async () => {
    const html = (await getRaw('/console')).body.toString('utf8');
    const files = [...html.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g)].map((match) => match[1]!);
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const file of files) {
      const [plain, gzip, brotli] = [
        await getRaw(file),
        await getRaw(file, { 'accept-encoding': 'gzip, br;q=0' }),
        await getRaw(file, { 'accept-encoding': 'gzip, deflate, br' }),
      ];
      expect(plain.headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' });
      expect([plain.headers['content-encoding'], gzip.headers['content-encoding'], brotli.headers['content-encoding']]).toEqual([
        undefined,
        'gzip',
        'br',
      ]);
      expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
      expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true);
    }
  });

  it('/v1/caller names the caller and its scopes, and needs a credential', async () => {
    expect(await getRaw('/v1/caller')).toMatchObject({ status: 401 });
    const { body } = await getRaw('/v1/caller', { authorization: 'Bearer analyst-key' });
    expect(JSON.parse(body.toString('utf8'))).toEqual({ kind: 'api-key', issuer: '', subject: 'analyst', scopes: ['queries:run'] });
  });
});

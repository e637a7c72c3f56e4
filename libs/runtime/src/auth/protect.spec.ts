import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { createHash } from 'node:crypto';
import { type Server, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, startService } from '../service/start-service.ts';
import { principalOf } from './principal.ts';
import type { AuthOptions } from './protect.ts';
import { RequireScope } from './require-scope.ts';

@RequireScope('queries:run')
@Controller('things')
class ThingsController {
  @Get()
  list(@Req() request: FastifyRequest): unknown {
    return { subject: principalOf(request)?.subject ?? null };
  }

  @RequireScope('admin')
  @Post()
  create(): string {
    return 'created';
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

const apiKeys = [{ name: 'notebook', sha256: createHash('sha256').update('key').digest('hex'), scopes: ['queries:run'] as const }];
const logger = createLogger({ name: 'things', level: 'silent' });
let service: RunningService | undefined;
let issuer: Server | undefined;

async function start(auth: AuthOptions, host = '127.0.0.1'): Promise<void> {
  service = await startService({ name: 'things', module: ThingsModule, host, port: 0, auth, logger });
}

afterEach(async () => {
  await service?.close();
  service = undefined;
  issuer?.close();
});

function ask(path: string, token?: string, init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {}): Promise<Response> {
  return fetch(service!.url + path, { ...init, headers: { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } });
}

/** `fetch` does not let one set the Host header. */
function statusForHost(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(`${service!.url}/things`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('a service with authentication off', () => {
  it('starts on loopback and lets this machine in', async () => {
    await start({});
    expect((await ask('/things')).status).toBe(200);
    expect((await ask('/metrics')).status).toBe(200);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1'])('does not start on %s', async (host) => {
    await expect(start({}, host)).rejects.toMatchObject({ code: 'start-refused', message: expect.stringContaining(host) as string });
  });

  it('refuses a request to a name that is not this machine, as DNS rebinding makes', async () => {
    await start({});
    expect(await statusForHost('evil.example')).toBe(403);
    expect(await statusForHost('localhost:1')).toBe(200);
  });
});

describe('a service with API keys', () => {
  it('lets a key in where its scopes reach, and says who it is', async () => {
    await start({ apiKeys });
    const response = await ask('/things', 'key');
    expect(await response.json()).toEqual({ subject: 'notebook' });
  });

  it('answers 403 and names the missing scope', async () => {
    await start({ apiKeys });
    const response = await ask('/things', 'key', { method: 'POST' });
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="millrace", error="insufficient_scope", scope="admin"');
    expect(await response.json()).toMatchObject({ type: 'urn:millrace:problem:forbidden', detail: 'This needs the scope admin.' });
  });

  it.each([
    ['no credentials', undefined, 'Bearer realm="millrace"'],
    ['an unknown key', 'Bearer wrong', 'Bearer realm="millrace", error="invalid_token"'],
    ['another scheme', 'Basic a2V5OmtleQ==', 'Bearer realm="millrace", error="invalid_request"'],
    ['an endless credential', `Bearer ${'a'.repeat(9000)}`, 'Bearer realm="millrace", error="invalid_request"'],
  ])('answers 401 to %s, before it looks at the body', async (_what, authorization, challenge) => {
    await start({ apiKeys });
    const response = await ask('/things', undefined, { method: 'POST', body: '{', headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) } });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(challenge);
    expect(await response.json()).toMatchObject({ type: 'urn:millrace:problem:unauthenticated' });
  });

  it('keeps the probes open and everything else closed', async () => {
    await start({ apiKeys });
    expect((await ask('/health/live')).status).toBe(200);
    expect((await ask('/health/ready')).status).toBe(200);
    expect((await ask('/metrics')).status).toBe(401);
    expect((await ask('/metrics', 'key')).status).toBe(403);
    expect((await ask('/nothing')).status).toBe(401);
  });
});

describe('a service with tokens', () => {
  it('lets in a token signed by a key that the issuer publishes', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] };
    issuer = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks)));
    await new Promise<void>((resolve) => issuer!.listen(0, '127.0.0.1', resolve));
    const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`;
    await start({ jwt: { jwksUrl, issuer: 'https://issuer', audience: 'millrace' } });
    const token = (subject: string): Promise<string> =>
      new SignJWT({ scope: 'queries:run' }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setIssuer('https://issuer').setAudience('millrace').setSubject(subject).setExpirationTime('5m').sign(privateKey);
    expect(await (await ask('/things', await token('ada'))).json()).toEqual({ subject: 'ada' });
    const [head, , signature] = (await token('ada')).split('.');
    const [, payload] = (await token('eve')).split('.');
    expect((await ask('/things', `${head}.${payload}.${signature}`)).status).toBe(401);
  });

  it('answers 503, not 401, while the issuer cannot be reached', async () => {
    await start({ jwt: { jwksUrl: 'http://127.0.0.1:9/jwks', issuer: 'i', audience: 'a', jwksTimeoutMs: 500 } });
    const { privateKey } = await generateKeyPair('ES256');
    const response = await ask('/things', await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(privateKey));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
  });
});

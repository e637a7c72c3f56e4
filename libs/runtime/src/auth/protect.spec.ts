import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type CryptoKey, type JSONWebKeySet, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { createHash } from 'node:crypto';
import { type Server, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import { type RunningService, startService } from '../service/start-service.ts';
import { jwksSpec } from './jwks-pipeline.ts';
import { OwnCredentials } from './own-credentials.ts';
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

@Controller('signed')
class SignedController {
  @OwnCredentials()
  @Post()
  create(@Req() request: FastifyRequest): unknown {
    return { principal: principalOf(request) ?? null };
  }

  @Get()
  list(): string {
    return 'listed';
  }
}

@Module({ controllers: [ThingsController, SignedController] })
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

function ask(
  path: string,
  token?: string,
  init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(service!.url + path, {
    ...init,
    headers: { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
  });
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
  it('the service starts on loopback and accepts requests from this machine', async () => {
    await start({});
    expect((await ask('/things')).status).toBe(200);
    expect((await ask('/metrics')).status).toBe(200);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1'])('the service does not start on %s', async (host) => {
    await expect(start({}, host)).rejects.toMatchObject({ code: 'start-refused', message: expect.stringContaining(host) as string });
  });

  it('a request to a host name of another machine is refused, as in DNS rebinding', async () => {
    await start({});
    expect(await statusForHost('evil.example')).toBe(403);
    expect(await statusForHost('localhost:1')).toBe(200);
  });
});

describe('a service with API keys', () => {
  it('a key with the required scope is accepted, and the route sees its subject', async () => {
    await start({ apiKeys });
    const response = await ask('/things', 'key');
    expect(await response.json()).toEqual({ subject: 'notebook' });
  });

  it('a key without the required scope gets 403, and the answer names the scope', async () => {
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
  ])('a request with %s gets 401 before its body is read', async (_what, authorization, challenge) => {
    await start({ apiKeys });
    const response = await ask('/things', undefined, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(challenge);
    expect(await response.json()).toMatchObject({ type: 'urn:millrace:problem:unauthenticated' });
  });

  it('a route with its own credentials checks them itself, and other routes of the same path stay protected', async () => {
    await start({ apiKeys });
    const answer = await ask('/signed', undefined, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([201, { principal: null }]);
    expect((await ask('/signed')).status).toBe(401);
  });

  it('the probes need no credentials, and every other path does', async () => {
    await start({ apiKeys });
    expect((await ask('/health/live')).status).toBe(200);
    expect((await ask('/health/ready')).status).toBe(200);
    expect((await ask('/metrics')).status).toBe(401);
    expect((await ask('/metrics', 'key')).status).toBe(403);
    expect((await ask('/nothing')).status).toBe(401);
  });
});

describe('a service with tokens', () => {
  let privateKey: CryptoKey;
  let jwks: JSONWebKeySet;
  beforeAll(async () => {
    const pair = await generateKeyPair('ES256');
    privateKey = pair.privateKey;
    jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }] };
  });

  /** Starts an issuer that answers with these statuses first and then with its keys; counts requests. */
  async function issue(...statuses: number[]): Promise<{ jwt: NonNullable<AuthOptions['jwt']>; asked: () => number }> {
    let asked = 0;
    issuer = createServer((_request, response) => {
      response.statusCode = statuses[asked] ?? 200;
      asked += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks));
    });
    await new Promise<void>((resolve) => issuer!.listen(0, '127.0.0.1', resolve));
    const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`;
    return {
      jwt: {
        jwksUrl,
        issuer: 'https://issuer',
        audience: 'millrace',
        jwks: { ...jwksSpec, retry: { ...jwksSpec.retry, baseMs: 1, waitMsMax: 1 } },
      },
      asked: () => asked,
    };
  }

  const token = (subject: string, scope = 'queries:run'): Promise<string> =>
    new SignJWT({ scope })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer('https://issuer')
      .setAudience('millrace')
      .setSubject(subject)
      .setExpirationTime('5m')
      .sign(privateKey);

  it('a token signed by a published key of the issuer is accepted', async () => {
    await start({ jwt: (await issue()).jwt });
    expect(await (await ask('/things', await token('ada'))).json()).toEqual({ subject: 'ada' });
    const [head, , signature] = (await token('ada')).split('.');
    const [, payload] = (await token('eve')).split('.');
    expect((await ask('/things', `${head}.${payload}.${signature}`)).status).toBe(401);
  });

  it('the key set is fetched through the pipeline jwks, which the admin endpoint and the metrics show', async () => {
    const { jwt, asked } = await issue(500);
    await start({ jwt });
    expect((await ask('/things', await token('ada'))).status).toBe(200);
    expect(asked()).toBe(2);
    const admin = await token('root', 'admin');
    expect(await (await ask('/admin/pipelines', admin)).json()).toMatchObject({
      pipelines: [{ name: 'jwks', snapshot: { totals: { calls: 1, attempts: 2 }, breaker: { calls: 2, failures: 1 } } }],
      attemptsPerRequest: { paths: [{ product: 'jwks 2 × fetch 1', attemptsMax: 2 }] },
    });
    expect(await (await ask('/metrics', admin)).text()).toMatch(/millrace_pipeline_attempts_total\{.*pipeline="jwks".*\} 1/);
    const stream = await ask('/hystrix.stream', admin);
    const { value } = await stream.body!.pipeThrough(new TextDecoderStream()).getReader().read();
    expect(value).toContain('"name":"jwks"');
    expect(await (await ask('/health/ready')).json()).toMatchObject({ dependencies: [{ name: 'circuit-jwks' }] });
  });

  it('a service without tokens has no pipeline jwks', async () => {
    await start({ apiKeys });
    expect(service!.app.get(PipelineRegistry).list()).toEqual([]);
  });

  it('the service asks only once an issuer that answers 404', async () => {
    const { jwt, asked } = await issue(404, 404);
    await start({ jwt });
    expect((await ask('/things', await token('ada'))).status).toBe(503);
    expect(asked()).toBe(1);
  });

  it('the service answers 503, not 401, while the issuer is unreachable', async () => {
    await start({ jwt: { jwksUrl: 'http://127.0.0.1:9/jwks', issuer: 'i', audience: 'a' } });
    const response = await ask('/things', await token('ada'));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
  });

  it('the service answers 503 when the issuer exceeds the timeout of the pipeline', async () => {
    issuer = createServer(() => undefined);
    await new Promise<void>((resolve) => issuer!.listen(0, '127.0.0.1', resolve));
    const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`;
    await start({ jwt: { jwksUrl, issuer: 'i', audience: 'a', jwks: { ...jwksSpec, timeout: { attemptMs: 50, totalMs: 100 } } } });
    expect((await ask('/things', await token('ada'))).status).toBe(503);
  });
});

import { Body, Controller, Get, Module, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProblemError } from '../errors.ts';
import { HealthRegistry } from '../health/health-registry.ts';
import { workOfRequest } from '../http/work-of-request.ts';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, startService } from './start-service.ts';

@Controller('things')
class ThingsController {
  @Post()
  create(@Body() body: unknown): unknown {
    return { got: body ?? null };
  }

  @Get('busy')
  busy(): never {
    throw new ProblemError('overloaded', { detail: 'Too much at once.', retryAfterSeconds: 1.2 });
  }

  @Get('broken')
  broken(): never {
    throw new Error('the password is hunter2');
  }

  @Post('long')
  async long(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const { signal } = workOfRequest(request, reply);
    longWork.started.resolve(signal);
    await longWork.released.promise;
    return { aborted: signal.aborted };
  }

  @Get(':id')
  one(): string {
    return 'one';
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

const longWork = { started: Promise.withResolvers<AbortSignal>(), released: Promise.withResolvers<void>() };
let service: RunningService;
let lines: string[];

beforeEach(async () => {
  longWork.started = Promise.withResolvers();
  longWork.released = Promise.withResolvers();
  lines = [];
  service = await startService({
    name: 'things',
    module: ThingsModule,
    port: 0,
    bodyBytesMax: 1024,
    logger: createLogger({ name: 'things', stream: { write: (line: string) => void lines.push(line) } }),
  });
});
afterEach(() => service.close());

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

async function ask(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(service.url + path, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

const json = { 'content-type': 'application/json' };

describe('the HTTP surface of a service', () => {
  it('a JSON body reaches the controller', async () => {
    expect((await ask('/things', { method: 'POST', headers: json, body: '{"a":1}' })).body).toEqual({ got: { a: 1 } });
  });

  it.each([
    ['JSON that does not parse', { method: 'POST', headers: json, body: '{"a":' }, '/things', 400, 'invalid-json'],
    ['an empty JSON body', { method: 'POST', headers: json, body: '' }, '/things', 400, 'invalid-json'],
    ['JSON that would set a prototype', { method: 'POST', headers: json, body: '{"__proto__":{"a":1}}' }, '/things', 400, 'invalid-json'],
    ['a body without content type', { method: 'POST', body: new Blob(['{"a":1}']) }, '/things', 415, 'unsupported-media-type'],
    [
      'an unknown content type',
      { method: 'POST', headers: { 'content-type': 'application/xml' }, body: '<a/>' },
      '/things',
      415,
      'unsupported-media-type',
    ],
    ['plain text', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'a' }, '/things', 415, 'unsupported-media-type'],
    [
      'a form',
      { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
      '/things',
      415,
      'unsupported-media-type',
    ],
    ['a body over the limit', { method: 'POST', headers: json, body: `"${'a'.repeat(2000)}"` }, '/things', 413, 'body-too-large'],
    ['an unknown path', {}, '/nothing?secret=1', 404, 'not-found'],
    ['a known path under another method', { method: 'DELETE' }, '/things/7', 405, 'method-not-allowed'],
    ['a path that cannot be decoded', {}, '/things/%', 400, 'validation'],
    ['a path segment that is too long', {}, `/things/${'a'.repeat(300)}`, 404, 'not-found'],
    ['an unforeseen error', {}, '/things/broken', 500, 'internal'],
    ['a problem thrown on purpose', {}, '/things/busy', 503, 'overloaded'],
  ] as const)('%s gets a problem document', async (_what, init, path, status, name) => {
    const answer = await ask(path, init);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ type: `urn:millrace:problem:${name}`, status, instance: path.split('?')[0] });
  });

  it('a 405 answer lists the methods of the path', async () => {
    expect((await ask('/things/7', { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD');
    expect((await ask('/things', { method: 'GET' })).headers.get('allow')).toBe('POST');
  });

  it('Retry-After is in whole seconds', async () => {
    const answer = await ask('/things/busy');
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(answer.body).toMatchObject({ detail: 'Too much at once.', retryAfterSeconds: 1.2 });
  });

  it('the problem names the limit that a body exceeds', async () => {
    expect((await ask('/things', { method: 'POST', headers: json, body: `"${'a'.repeat(2000)}"` })).body['detail']).toBe(
      'The body may have at most 1024 bytes.',
    );
  });

  it('an unforeseen error appears in the log but not in the answer', async () => {
    const { body } = await ask('/things/broken');
    expect(JSON.stringify(body)).not.toMatch(/hunter2|stack|\.ts/);
    expect(lines.filter((line) => line.includes('"level":"error"') && line.includes('hunter2'))).toHaveLength(1);
  });

  it('bytes that are not HTTP get a problem document', async () => {
    const { port } = new URL(service.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('application/problem+json');
    expect(text).toContain('urn:millrace:problem:validation');
  });
});

describe('the signal of a request', () => {
  const post = { method: 'POST', headers: json, body: '{}' };

  it('the signal does not abort while the client waits, even after the body was read', async () => {
    const answer = ask('/things/long', post);
    await longWork.started.promise;
    longWork.released.resolve();
    expect((await answer).body).toEqual({ aborted: false });
  });

  it('the signal aborts when the client disconnects', async () => {
    const client = new AbortController();
    const answer = ask('/things/long', { ...post, signal: client.signal });
    const signal = await longWork.started.promise;
    client.abort();
    await expect(answer).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(signal.aborted).toBe(true));
    expect(signal.reason).toMatchObject({ code: 'client-closed' });
    longWork.released.resolve();
  });

  it('a request whose deadline has passed gets 504', async () => {
    const answer = await ask('/things/long', { ...post, headers: { ...json, 'x-millrace-deadline': '1000' } });
    expect(answer).toMatchObject({ status: 504, body: { type: 'urn:millrace:problem:deadline-exceeded' } });
  });
});

describe('the probes and metrics of a service', () => {
  it('the liveness probe answers that the process is alive', async () => {
    expect(await ask('/health/live')).toMatchObject({ status: 200, body: { status: 'alive' } });
  });

  it('the readiness probe answers 503 and names the dependency that is down', async () => {
    const health = service.app.get(HealthRegistry);
    health.register('kafka', { required: true, check: () => Promise.reject(new Error('connect ECONNREFUSED redis://me:pw@127.0.0.1:1')) });
    health.register('redis', { required: false, check: async () => '3 ms' });
    expect(await ask('/health/ready')).toMatchObject({
      status: 503,
      body: {
        status: 'unavailable',
        service: 'things',
        dependencies: [
          { name: 'kafka', required: true, status: 'down', detail: 'connect ECONNREFUSED redis://[redacted]@127.0.0.1:1' },
          { name: 'redis', required: false, status: 'up', detail: '3 ms' },
        ],
      },
    });
  });

  it('requests are counted by route pattern, never by path', async () => {
    for (const path of ['/things/1', '/things/2', '/no/1', '/no/2']) await fetch(service.url + path);
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(text).toContain(
      'millrace_http_request_duration_seconds_count{service="things",method="GET",route="/things/:id",status="200"} 2',
    );
    expect(text).toContain('millrace_http_request_duration_seconds_count{service="things",method="GET",route="unmatched",status="404"} 2');
    expect(text).toContain('process_cpu_seconds_total');
  });
});

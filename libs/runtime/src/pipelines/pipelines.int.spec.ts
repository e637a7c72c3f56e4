import { createHash } from 'node:crypto';
import { type Pipeline, type PipelineSpec, type Priority, priorities } from '@millrace/resilience';
import { Controller, Get, Inject, Injectable, Module, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseApiKeyList } from '../auth/api-keys.ts';
import { StartRefusedError } from '../errors.ts';
import { workOfRequest } from '../http/work-of-request.ts';
import { priorityHeader, RoutePriority } from '../http/request-priority.ts';
import { ProcessLoad } from '../load/process-load.ts';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, type ServiceOptions, startService } from '../service/start-service.ts';
import type { PipelinesOptions } from './make-pipelines.ts';
import { InjectPipeline } from './nest/pipeline-token.ts';
import { PipelinesModule } from './nest/pipelines-module.ts';
import { PipelineRegistry } from './pipeline-registry.ts';
import { CallLimits, type Limits, UsePipeline } from './nest/use-pipeline.ts';

/** What the dependency does, set by each test. */
let dependency: (limits: Limits, attempt: number) => Promise<string>;

@Injectable()
class Covers {
  @UsePipeline('covers', { idempotent: true, key: (isbn: string) => isbn })
  async cover(isbn: string, @CallLimits() limits: Limits = {}): Promise<string> {
    return `${isbn}: ${await dependency(limits, limits.attempt ?? -1)}`;
  }
}

@Controller()
class CoversController {
  constructor(
    @Inject(Covers) private readonly covers: Covers,
    @InjectPipeline('covers') readonly pipeline: Pipeline,
  ) {}

  @Get('covers/:isbn')
  async cover(@Req() request: FastifyRequest<{ Params: { isbn: string } }>, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return { cover: await this.covers.cover(request.params.isbn, workOfRequest(request, reply)), pipeline: this.pipeline.name };
  }

  @Get('urgent')
  @RoutePriority('critical')
  urgent(): string {
    return 'done';
  }
}

const covers: PipelineSpec = {
  name: 'covers',
  dependency: 'cover-store',
  timeout: { attemptMs: 200, totalMs: 2000 },
  retry: { attemptsMax: 2, baseMs: 1, waitMsMax: 1 },
  breaker: { windowMs: 10_000, minimumCalls: 4, breakDurationMs: 30_000, breakDurationJitter: 0, probes: 1 },
  bulkhead: { concurrencyMax: 5 },
};
const http: PipelineSpec = { name: 'http', timeout: { attemptMs: 60_000, totalMs: 60_000 }, shed: { retryAfterMs: 3000, holdMs: 0 } };

const adminKey = 'operator-secret-key-0123456789';
const otherKey = 'till-secret-key-0123456789abcd';
const hash = (key: string): string => createHash('sha256').update(key).digest('hex');

const running: RunningService[] = [];
let lines: { level: string; msg: string }[] = [];

async function start(options: Partial<PipelinesOptions> = {}, service: Partial<ServiceOptions> = {}): Promise<RunningService> {
  @Module({ imports: [PipelinesModule.forRoot({ specs: { covers, http }, ...options })], controllers: [CoversController], providers: [Covers] })
  class CoversModule {}
  lines = [];
  const logger = createLogger({ name: 'covers', stream: { write: (line: string) => void lines.push(JSON.parse(line) as { level: string; msg: string }) } });
  const started = await startService({ name: 'covers', module: CoversModule, port: 0, logger, admission: 'http', ...service });
  running.push(started);
  await loadIs(started, 0);
  return started;
}

/** The load of the test's own machine must not decide what it sees. */
async function loadIs(service: RunningService, delayMs: number): Promise<void> {
  const load = service.app.get(ProcessLoad);
  load.stop();
  load.eventLoopDelayMs = () => delayMs;
  load.heapUsedRatio = () => 0;
  const pipeline = service.app.get(PipelineRegistry).get('http');
  await vi.waitFor(() => expect(pipeline.snapshot().shed!.load).toBeCloseTo(Math.max(0, (delayMs - 100) / 400)), { timeout: 10_000, interval: 10 });
}

afterEach(async () => {
  for (const service of running.splice(0)) await service.close();
});

interface Answer {
  status: number;
  retryAfter: string | null;
  body: Record<string, unknown>;
}

async function ask(service: RunningService, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(service.url + path, init);
  const text = await response.text();
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text } };
}

const patch = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({ method: 'PATCH', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

function failing(): Promise<string> {
  return Promise.reject(new Error('the store is away'));
}

describe('a method under a pipeline', () => {
  it('gets the attempt’s own limits, within those of the request, and is tried again', async () => {
    const seen: Limits[] = [];
    dependency = async (limits, attempt) => {
      seen.push(limits);
      if (attempt === 0) throw new Error('once');
      return 'Orlando';
    };
    const service = await start();
    const deadline = Date.now() + 60_000;
    const answer = await ask(service, '/covers/1', { headers: { 'x-millrace-deadline': String(deadline), [priorityHeader]: 'low' } });
    expect(answer).toMatchObject({ status: 200, body: { cover: '1: Orlando', pipeline: 'covers' } });
    expect(seen.map(({ attempt, priority }) => [attempt, priority])).toEqual([[0, 'low'], [1, 'low']]);
    expect(seen.every((limits) => limits.signal instanceof AbortSignal && limits.deadline! < deadline)).toBe(true);
  });

  it('does not begin after the deadline of the request', async () => {
    dependency = failing;
    const service = await start();
    expect(await ask(service, '/covers/1', { headers: { 'x-millrace-deadline': '1000' } })).toMatchObject({ status: 504, retryAfter: null, body: { type: 'urn:millrace:problem:deadline-exceeded' } });
    expect(await ask(service, '/covers/1', { headers: { 'x-millrace-deadline': 'soon' } })).toMatchObject({ status: 400 });
    expect(await ask(service, '/covers/1', { headers: { [priorityHeader]: 'utmost' } })).toMatchObject({ status: 400 });
  });

  it('ends when the deadline of the request passes meanwhile', async () => {
    dependency = async ({ signal }) => await new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error), { once: true }));
    const service = await start();
    await ask(service, '/admin/pipelines/covers', patch({ timeout: { attemptMs: 600_000, totalMs: 600_000 } }));
    const answer = await ask(service, '/covers/1', { headers: { 'x-millrace-deadline': String(Date.now() + 500) } });
    expect(answer).toMatchObject({ status: 503, body: { detail: 'covers did not answer in time.' } });
  });
});

describe('a dependency that fails', () => {
  it('opens its circuit, which every surface shows, and an operator closes it', async () => {
    dependency = failing;
    const service = await start();
    for (let call = 0; call < 2; call += 1) expect((await ask(service, '/covers/1')).status).toBe(500);
    expect(await ask(service, '/covers/1')).toMatchObject({ status: 503, retryAfter: '30', body: { type: 'urn:millrace:problem:unavailable', detail: 'covers is not available: its circuit is open.' } });

    const ready = await ask(service, '/health/ready');
    expect(ready).toMatchObject({ status: 200, body: { status: 'degraded', dependencies: [{ name: 'circuit-covers', status: 'down', detail: expect.stringContaining('calls to cover-store are refused') as string }] } });
    const metrics = String((await ask(service, '/metrics')).body['text']);
    expect(metrics).toMatch(/millrace_pipeline_circuit_state\{(?=.*pipeline="covers")(?=.*state="open").*\} 1/);
    expect(metrics).toMatch(/millrace_pipeline_rejections_total\{(?=.*pipeline="covers")(?=.*reason="circuit-open").*\} 1/);
    expect(metrics).toMatch(/millrace_pipeline_attempts_total\{(?=.*pipeline="covers")(?=.*result="failed").*\} 4/);
    expect(lines.map(({ msg }) => msg)).toContain('The circuit covers opened: 100 % of 4 attempts failed; it probes in 30000 ms.');
    expect(await commandOf(service, 'covers')).toMatchObject({ isCircuitBreakerOpen: true, rollingCountFailure: 4, rollingCountShortCircuited: 1, errorPercentage: 100, group: 'covers' });

    dependency = async () => 'back';
    expect(await ask(service, '/admin/pipelines/covers', patch({ mode: 'auto' }))).toMatchObject({ status: 200, body: { snapshot: { breaker: { state: 'closed', mode: 'auto' } } } });
    expect((await ask(service, '/covers/1')).status).toBe(200);
  });
});

/** The first event of the Hystrix stream that is about this command. */
async function commandOf(service: RunningService, name: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${service.url}/hystrix.stream`);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString();
    const found = text.split('\n\n').slice(0, -1).filter((event) => event.startsWith('data: ')).map((event) => JSON.parse(event.slice(6)) as Record<string, unknown>).find((event) => event['name'] === name);
    if (found !== undefined) return found;
  }
  throw new Error(`the stream ended without a command ${name}`);
}

const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

describe('the admin endpoint', () => {
  const auth = { apiKeys: parseApiKeyList([`operator:${hash(adminKey)}:admin`, `till:${hash(otherKey)}:purchases:write`]) };

  it('is for the scope admin alone, as is the stream', async () => {
    const service = await start({}, { auth });
    for (const path of ['/admin/pipelines', '/admin/pipelines/covers', '/hystrix.stream']) {
      expect((await ask(service, path)).status).toBe(401);
      expect((await ask(service, path, { headers: as(otherKey) })).status).toBe(403);
    }
    expect((await ask(service, '/admin/pipelines/covers', patch({ mode: 'disabled' }, as(otherKey)))).status).toBe(403);
    expect(await ask(service, '/admin/pipelines', { headers: as(adminKey) })).toMatchObject({ status: 200, body: { pipelines: [{ name: 'covers', dependency: 'cover-store', settings: { breaker: { minimumCalls: 4 } } }, { name: 'http' }] } });
  });

  it('changes settings of calls to come', async () => {
    dependency = async ({ signal }) => await new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error), { once: true }));
    const service = await start();
    expect(await ask(service, '/admin/pipelines/covers', patch({ timeout: { attemptMs: 20 }, retry: { attemptsMax: 1 } }))).toMatchObject({ status: 200, body: { settings: { timeout: { attemptMs: 20, totalMs: 2000 }, retry: { attemptsMax: 1 } } } });
    expect(await ask(service, '/covers/1')).toMatchObject({ status: 503, body: { detail: 'covers did not answer in time.' } });
  });

  it('names the field that it refuses, and the settings that contradict each other', async () => {
    const service = await start();
    expect(await ask(service, '/admin/pipelines/covers', patch({ breaker: { breakDurationMs: -1 } }))).toMatchObject({ status: 400, body: { type: 'urn:millrace:problem:validation', errors: [{ field: 'breaker.breakDurationMs' }] } });
    const contradiction = await ask(service, '/admin/pipelines/covers', patch({ timeout: { attemptMs: 5000 } }));
    expect(contradiction).toMatchObject({ status: 400, body: { detail: expect.stringContaining('timeout.attemptMs') as string } });
    expect((await ask(service, '/admin/pipelines/none')).status).toBe(404);
  });

  it('injects faults where configuration allows it, and nowhere else', async () => {
    dependency = async () => 'fine';
    const service = await start();
    expect(await ask(service, '/admin/pipelines/covers', patch({ chaos: { rules: [{ kind: 'fault' }] } }))).toMatchObject({ status: 403, body: { detail: expect.stringContaining('CHAOS_ALLOWED') as string } });
    expect((await ask(service, '/covers/1')).status).toBe(200);

    const wild = await start({ specs: { covers: { ...covers, chaos: { allowed: true } }, http } });
    expect((await ask(wild, '/admin/pipelines/covers', patch({ chaos: { rules: [{ kind: 'fault', keys: ['1'] }] } }))).status).toBe(200);
    expect(await ask(wild, '/covers/1')).toMatchObject({ status: 503, body: { detail: 'covers failed.' } });
    expect((await ask(wild, '/covers/2')).status).toBe(200);
  });
});

describe('the pipeline that lets requests in', () => {
  it('answers even when what it is told to answer is not the route', async () => {
    dependency = async () => 'fine';
    const service = await start({ specs: { covers, http: { ...http, chaos: { allowed: true } } } });
    expect((await ask(service, '/admin/pipelines/http', patch({ chaos: { rules: [{ kind: 'outcome', value: 'fine' }] } }))).status).toBe(200);
    const answer = await ask(service, '/covers/1', { signal: AbortSignal.timeout(20_000) });
    expect(answer).toMatchObject({ status: 503, retryAfter: '1', body: { type: 'urn:millrace:problem:unavailable', detail: 'http did not let the request in.' } });
    expect((await ask(service, '/admin/pipelines/http', patch({ chaos: { rules: [] } }))).status).toBe(200);
    expect((await ask(service, '/covers/1')).status).toBe(200);
  });
});

describe('the start', () => {
  it('is refused when one request could cause too many attempts', async () => {
    await expect(start({ callPaths: [{ request: 'GET /covers/:isbn', layers: ['covers', { name: 'fetch', attemptsMax: 3 }] }], attemptsPerRequestMax: 5 })).rejects.toThrow(StartRefusedError);
  });

  it('says how many it could cause', async () => {
    await start({ callPaths: [{ request: 'GET /covers/:isbn', layers: ['covers', { name: 'fetch', attemptsMax: 3 }] }] });
    expect(lines.map(({ msg }) => msg)).toContain('One request causes at most 6 attempts at a dependency: GET /covers/:isbn (covers 2 × fetch 3). The limit is 12.');
  });
});

/** Load as the process would measure it. */
async function loaded(delayMs: number): Promise<RunningService> {
  dependency = async () => 'fine';
  const service = await start();
  await loadIs(service, delayMs);
  return service;
}

describe('a service with more work than it can do', () => {
  it.each([
    [0, 'low'],
    [150, 'normal'],
    [350, 'high'],
    [490, 'critical'],
  ] as const)('at a delay of %i ms serves %s and sheds below', async (delayMs, served) => {
    const service = await loaded(delayMs);
    // The caller can lower the priority of a route that is critical itself.
    const statuses = await Promise.all(priorities.map(async (priority) => [priority, (await ask(service, '/urgent', { headers: { [priorityHeader]: priority } })).status] as const));
    const expected = priorities.map((priority): [Priority, number] => [priority, priorities.indexOf(priority) <= priorities.indexOf(served) ? 200 : 503]);
    expect(statuses).toEqual(expected);
  });

  it('says when to come back, shows its level, and still answers an operator', async () => {
    const service = await loaded(490);
    expect(await ask(service, '/covers/1')).toMatchObject({ status: 503, retryAfter: '3', body: { type: 'urn:millrace:problem:overloaded' } });
    expect((await ask(service, '/covers/1', { headers: { [priorityHeader]: 'critical' } })).status).toBe(503);
    expect((await ask(service, '/health/live')).status).toBe(200);
    expect((await ask(service, '/admin/pipelines')).status).toBe(200);
    expect(String((await ask(service, '/metrics')).body['text'])).toMatch(/millrace_shed_level\{.*\} 3/);
  });
});

describe('the stop', () => {
  it('ends streams, and drains pipelines when nothing can call them any more', async () => {
    dependency = async () => 'fine';
    const service = await start();
    const response = await fetch(`${service.url}/hystrix.stream`);
    const pipeline = service.app.get(CoversController).pipeline;
    await service.close();
    let text = '';
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
    expect(text).toContain('"type":"HystrixCommand"');
    expect(pipeline.snapshot().closed).toBe(true);
    await expect(pipeline.execute(() => 1, { idempotent: false })).rejects.toMatchObject({ code: 'pipeline-closed' });
  });
});

import { hash } from 'node:crypto';
import { createLogger, Metrics, type RunningService, startService } from '@millrace/runtime';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { limitCallers, type CallerLimits } from './limit-callers.ts';

let onHeld = (): void => undefined;
let release: Promise<void> = Promise.resolve();

@Controller('things')
class ThingsController {
  @Post()
  async take(@Body() body: unknown): Promise<unknown> {
    onHeld();
    await release;
    return { items: Array.isArray(body) ? body.length : 1 };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let service: RunningService | undefined;
afterEach(async () => {
  await service?.close();
  release = Promise.resolve();
  onHeld = () => undefined;
});

async function start(limits: CallerLimits, names: readonly string[] = []): Promise<void> {
  service = await startService({
    name: 'things',
    module: ThingsModule,
    port: 0,
    logger: createLogger({ name: 'things', level: 'silent' }),
    auth: names.length === 0 ? {} : { apiKeys: names.map((name) => ({ name, sha256: hash('sha256', name), scopes: ['purchases:write'] })) },
    configure: (app) => limitCallers(app.getHttpAdapter().getInstance(), limits, app.get(Metrics)),
  });
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: unknown;
}

async function send(body: unknown, caller?: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(caller === undefined ? {} : { authorization: `Bearer ${caller}` }) };
  const response = await fetch(`${service!.url}/things`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() };
}

describe('the rate limit', () => {
  it('the rate limit refuses a caller that has sent a batch above it, and lets others in', async () => {
    await start({ eventsPerSecond: 10, requestsMax: 10 }, ['alice', 'bob']);
    expect(
      (
        await send(
          Array.from({ length: 600 }, () => 0),
          'alice',
        )
      ).status,
    ).toBe(201);
    expect(await send({}, 'alice')).toMatchObject({
      status: 429,
      retryAfter: expect.stringMatching(/^5\d$/) as string,
      body: {
        type: 'urn:millrace:problem:too-many-requests',
        detail: 'A caller may send 10 events a second. Send the request again later.',
      },
    });
    expect((await send({}, 'bob')).status).toBe(201);
    expect(await service!.app.get(Metrics).text()).toMatch(/millrace_purchase_requests_limited_total\{[^}]*limit="events"[^}]*\} 1/);
  });

  it('the rate limit holds for all callers together without authentication, and not for operators', async () => {
    await start({ eventsPerSecond: 1, requestsMax: undefined });
    await send([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await send({})).status).toBe(429);
    expect((await fetch(`${service!.url}/health/live`)).status).toBe(200);
  });
});

describe('the limit of open requests', () => {
  it('the open requests of a caller are limited while others are let in, and an answer makes room', async () => {
    await start({ eventsPerSecond: undefined, requestsMax: 1 }, ['alice', 'bob']);
    const gate = Promise.withResolvers<void>();
    release = gate.promise;
    const held = new Promise<void>((resolve) => (onHeld = resolve));
    const first = send({}, 'alice');
    await held;
    expect(await send({}, 'alice')).toMatchObject({ status: 429, retryAfter: '1' });
    const other = send({}, 'bob');
    gate.resolve();
    expect([(await first).status, (await other).status]).toEqual([201, 201]);
    await expect.poll(async () => (await send({}, 'alice')).status).toBe(201);
  });
});

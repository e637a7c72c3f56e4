import { Controller, Get, Module, Req } from '@nestjs/common';
import type { Span } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { ProblemError } from '../errors.ts';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, startService } from '../service/start-service.ts';
import { parentOf } from './trace-context.ts';
import { traceparentOfRequest } from './trace-requests.ts';
import type { Tracing } from './tracing.ts';

@Controller('orders')
class OrdersController {
  @Get(':id')
  read(@Req() request: FastifyRequest): string {
    return traceparentOfRequest(request) ?? 'off';
  }

  @Get(':id/broken')
  fail(): never {
    throw new ProblemError('unavailable');
  }
}

@Module({ controllers: [OrdersController] })
class OrdersModule {}

let service: RunningService;
afterEach(async () => await service.close());

/** Starts the service with tracing that notes its spans; each is resolved at its end. */
async function start(isTraced: boolean): Promise<{ readonly begun: () => number; readonly ended: () => Promise<Record<string, unknown>> }> {
  let begun = 0;
  const ends: Promise<Record<string, unknown>>[] = [];
  const tracing: Tracing = {
    startSpan: (name, { attributes }) => {
      begun += 1;
      const noted: Record<string, unknown> = { name, ...attributes };
      const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
      ends.push(promise);
      return {
        spanContext: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }),
        isRecording: () => true,
        setAttribute: (key: string, value: unknown) => void (noted[key] = value),
        setStatus: (status: unknown) => void (noted['status'] = status),
        end: () => resolve(noted),
      } as unknown as Span;
    },
    startRoot: () => {
      throw new Error('unused');
    },
    contextOf: () => parentOf(undefined),
    close: async () => undefined,
  };
  const logger = createLogger({ name: 'shop', stream: { write: () => undefined } });
  service = await startService({ name: 'shop', module: OrdersModule, port: 0, logger, ...(isTraced ? { tracing } : {}) });
  return { begun: () => begun, ended: async () => await ends.shift()! };
}

it('the span of a request has the pattern of its route and the status of its answer', async () => {
  const { ended } = await start(true);
  expect(await (await fetch(`${service.url}/orders/7?secret=1`)).text()).toBe(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
  expect(await ended()).toEqual({
    name: 'GET /orders/:id',
    'http.request.method': 'GET',
    'http.route': '/orders/:id',
    'url.path': '/orders/7',
    'url.scheme': 'http',
    'network.protocol.version': '1.1',
    'http.response.status_code': 200,
  });
});

it('a request that fails on our side is an error, and one without a route is named by its method', async () => {
  const { ended } = await start(true);
  await (await fetch(`${service.url}/orders/7/broken`)).text();
  expect(await ended()).toMatchObject({
    name: 'GET /orders/:id/broken',
    'http.response.status_code': 503,
    'error.type': '503',
    status: { code: 2 },
  });
  await (await fetch(`${service.url}/nowhere`)).text();
  const missing = await ended();
  expect(missing).toMatchObject({ name: 'GET', 'http.response.status_code': 404 });
  expect(missing).not.toHaveProperty('status');
});

it('requests for health and metrics have no span', async () => {
  const { begun } = await start(true);
  for (const path of ['/health/live', '/health/ready', '/metrics']) await (await fetch(`${service.url}${path}`)).text();
  expect(begun()).toBe(0);
});

it('without tracing a request has no trace context', async () => {
  await start(false);
  expect(await (await fetch(`${service.url}/orders/7`)).text()).toBe('off');
});

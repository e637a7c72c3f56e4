import { Body, Controller, Module, Post } from '@nestjs/common';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, startService } from '../service/start-service.ts';

let onHeld = (): void => undefined;
let release: Promise<void> = Promise.resolve();

@Controller()
class ThingsController {
  @Post('things')
  take(@Body() body: string): unknown {
    return { length: body.length };
  }

  @Post('batch')
  async takeBatch(@Body() body: string): Promise<unknown> {
    onHeld();
    await release;
    return { length: body.length };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let service: RunningService;
beforeAll(async () => {
  service = await startService({
    name: 'things',
    module: ThingsModule,
    port: 0,
    bodyBytesMax: 1000,
    largeBodies: { bytesMaxOf: (path) => (path === '/batch' ? 8000 : undefined), heldBytesMax: 12_000 },
    logger: createLogger({ name: 'things', level: 'silent' }),
  });
});
afterAll(async () => {
  await service.close();
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await fetch(service.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  return { status: response.status, body: await response.json() };
}

const jsonOf = (bytes: number): string => `"${'a'.repeat(bytes - 2)}"`;
const gzip = { 'content-encoding': 'gzip' };

describe('a route with larger bodies', () => {
  it('the route accepts bodies up to its own limit, and other routes keep theirs', async () => {
    expect(await post('/batch', jsonOf(8000))).toEqual({ status: 201, body: { length: 7998 } });
    expect(await post('/things', jsonOf(1001))).toMatchObject({ status: 413, body: { detail: 'The body may have at most 1000 bytes.' } });
  });

  it('the route refuses a body above its limit and names the limit, compressed or not', async () => {
    expect(await post('/batch', jsonOf(8001))).toMatchObject({ status: 413, body: { detail: 'The body may have at most 8000 bytes.' } });
    expect(await post('/batch', gzipSync(jsonOf(8000)), gzip)).toMatchObject({ status: 201 });
    expect(await post('/batch', gzipSync(jsonOf(8001)), gzip)).toMatchObject({
      status: 413,
      body: { detail: 'The body may have at most 8000 bytes, compressed and decoded.' },
    });
  });

  it('the route answers 503 while the bodies of its requests exceed their memory, and recovers after their answers', async () => {
    const gate = Promise.withResolvers<void>();
    const held = new Promise<void>((resolve) => (onHeld = resolve));
    release = gate.promise;
    const first = post('/batch', jsonOf(8000));
    await held;
    expect(await post('/batch', jsonOf(4000))).toMatchObject({
      status: 503,
      body: { type: 'urn:millrace:problem:overloaded', retryAfterSeconds: 1 },
    });
    expect(await post('/things', jsonOf(1000))).toMatchObject({ status: 201 });
    gate.resolve();
    expect(await first).toMatchObject({ status: 201 });
    await expect.poll(async () => (await post('/batch', jsonOf(8000))).status).toBe(201);
  });
});

import { createPipeline } from '@millrace/resilience';
import { FaultProxy } from '@millrace/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requestConnection, settled } from './redis-connections.ts';

const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

let proxy: FaultProxy;

beforeEach(async () => void (proxy = await FaultProxy.start({ protocol: 'tcp', target: redisUrl })));
afterEach(async () => await proxy.close());

it('an unanswered command ends after the current attempt timeout and closes its connection', async () => {
  const quick = createPipeline({ name: 'redis', timeout: { attemptMs: 300 } });
  const slower = createPipeline({ name: 'usage-read', dependency: 'redis', timeout: { attemptMs: 400 } });
  const redis = requestConnection({ url: proxy.url }, [quick, slower], () => undefined);
  await settled(redis, 5000);
  try {
    const fault = await proxy.inject({ kind: 'slow', latencyMs: 3000 });
    const lost = new Promise<void>((resolve) => redis.once('close', resolve));
    await expect(redis.ping()).rejects.toBeInstanceOf(Error);
    await lost;
    await fault.clear();
    await expect.poll(() => redis.status, { timeout: 20_000 }).toBe('ready');
    // An operator gives commands more time while the service runs: now the same answer is soon enough.
    quick.update({ timeout: { attemptMs: 8000 } });
    await proxy.inject({ kind: 'slow', latencyMs: 3000 });
    expect(await redis.ping()).toBe('PONG');
  } finally {
    redis.disconnect();
    quick.close();
    slower.close();
  }
});

it('a connection that does not answer is replaced by a working one', async () => {
  const pipeline = createPipeline({ name: 'redis', timeout: { attemptMs: 200 } });
  const redis = requestConnection({ url: proxy.url }, [pipeline], () => undefined);
  await settled(redis, 5000);
  try {
    await proxy.inject({ kind: 'black-hole' }, { times: 1 });
    await expect(redis.ping()).rejects.toBeInstanceOf(Error);
    await expect.poll(async () => await redis.ping().catch(() => undefined), { timeout: 20_000 }).toBe('PONG');
  } finally {
    redis.disconnect();
    pipeline.close();
  }
});

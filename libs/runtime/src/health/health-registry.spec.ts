import { CircuitOpenError } from '@millrace/resilience';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HealthRegistry } from './health-registry.ts';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const up = (): Promise<void> => Promise.resolve();
const down = (): Promise<void> => Promise.reject(new Error('connection refused'));

describe('HealthRegistry', () => {
  it.each([
    ['ready', 'everything is up', [up, up]],
    ['degraded', 'an optional dependency is down', [up, down]],
    ['unavailable', 'a required dependency is down', [down, up]],
  ] as const)('the service is %s when %s', async (status, _when, [required, optional]) => {
    const health = new HealthRegistry({ service: 'shop' });
    health.register('kafka', { required: true, check: required });
    health.register('redis', { required: false, check: optional });
    expect((await health.readiness()).status).toBe(status);
  });

  it('the readiness is "stopping" after stop, even if all dependencies are up', async () => {
    const health = new HealthRegistry({ service: 'shop' });
    health.stop();
    expect((await health.readiness()).status).toBe('stopping');
  });

  it('one check of a dependency serves many probes', async () => {
    const check = vi.fn<() => Promise<void>>(up);
    const health = new HealthRegistry({ service: 'shop', cacheMs: 1000 });
    health.register('kafka', { required: true, check });
    await Promise.all([health.readiness(), health.readiness()]);
    vi.setSystemTime(999);
    await health.readiness();
    expect(check).toHaveBeenCalledTimes(1);
    vi.setSystemTime(1000);
    await health.readiness();
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('a check that ignores its signal counts as down after its timeout, and its signal is aborted', async () => {
    const health = new HealthRegistry({ service: 'shop' });
    let seen: AbortSignal | undefined;
    health.register('kafka', {
      required: true,
      timeoutMs: 500,
      check: (signal) => {
        seen = signal;
        return new Promise(() => {});
      },
    });
    const answer = health.readiness();
    await vi.advanceTimersByTimeAsync(500);
    expect((await answer).dependencies[0]).toMatchObject({ status: 'down', detail: 'no answer within 500 ms', durationMs: 500 });
    expect(seen?.aborted).toBe(true);
  });

  it('the health shows since when a dependency has its status', async () => {
    let works = true;
    const health = new HealthRegistry({ service: 'shop', cacheMs: 0 });
    health.register('kafka', { required: true, check: () => (works ? up() : down()) });
    const sinceAt = async (nowMs: number): Promise<string | undefined> => {
      vi.setSystemTime(nowMs);
      return (await health.readiness()).dependencies[0]?.since;
    };
    expect(await sinceAt(1000)).toBe('1970-01-01T00:00:01.000Z');
    expect(await sinceAt(2000)).toBe('1970-01-01T00:00:01.000Z');
    works = false;
    expect(await sinceAt(3000)).toBe('1970-01-01T00:00:03.000Z');
  });

  it('a check that throws is down with its message, or with its code if the message is empty', async () => {
    const health = new HealthRegistry({ service: 'shop' });
    health.register('a', {
      required: false,
      check: () => {
        throw new Error('no such host');
      },
    });
    health.register('b', {
      required: false,
      check: () => Promise.reject(Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })),
    });
    expect((await health.readiness()).dependencies.map((dependency) => dependency.detail)).toEqual(['no such host', 'ECONNREFUSED']);
  });

  it('a second check of the same name is refused, and a check can be removed', async () => {
    const health = new HealthRegistry({ service: 'shop' });
    const forget = health.register('kafka', { required: true, check: down });
    expect(() => health.register('kafka', { required: true, check: up })).toThrow('registered already');
    forget();
    expect(await health.readiness()).toMatchObject({ status: 'ready', dependencies: [] });
  });
});

it('the detail of a failed check is the last error of the dependency or the innermost cause', async () => {
  const health = new HealthRegistry({ service: 'any' });
  health.lastErrorOf = (pipeline) => (pipeline === 's3' ? 'NoSuchBucket: lake' : undefined);
  health.register('store', { required: false, check: async () => await Promise.reject(new CircuitOpenError('s3')) });
  const failed = new Error('Redis does not answer.', { cause: new Error('NOAUTH Authentication required.') });
  health.register('redis', { required: false, check: async () => await Promise.reject(failed) });
  const { dependencies } = await health.readiness();
  expect(dependencies.map(({ detail }) => detail)).toEqual([
    'The circuit "s3" is open; the last error: NoSuchBucket: lake',
    'Redis does not answer: NOAUTH Authentication required.',
  ]);
});

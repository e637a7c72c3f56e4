import CircuitBreaker from 'opossum';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPipeline } from '../pipeline/create-pipeline.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { VirtualClock, settled } from '../testing/virtual-clock.ts';

// Defects of opossum that this library must prevent. Each check runs twice: a pipeline passes it, and opossum with its default options
// fails it. The second run proves that the check can fail.

type Work = (call: { readonly signal: AbortSignal | undefined }) => unknown;

/** Common interface of a pipeline and of opossum. */
interface Subject {
  call(work: Work): Promise<unknown>;
  /** Whether calls are rejected. */
  isOpen(): boolean;
  pass(ms: number): Promise<void>;
  close(): void;
}

/** Limits of both subjects, in milliseconds. */
const timeoutMs = 20;
const breakDurationMs = 30;

interface Limits {
  readonly concurrencyMax?: number;
  readonly minimumCalls?: number;
  readonly timeout?: boolean;
  readonly cache?: boolean;
}

function ours({ concurrencyMax, minimumCalls, cache, timeout }: Limits): Subject {
  const clock = new VirtualClock();
  const pipeline: Pipeline<{ name: string }> = createPipeline(
    {
      name: 'ours',
      // A pipeline always has a timeout. A long one replaces none.
      timeout: { attemptMs: timeout === false ? 1000 : timeoutMs },
      breaker: { breakDurationMs, breakDurationJitter: 0, probes: 1, ...(minimumCalls === undefined ? {} : { minimumCalls }) },
      ...(concurrencyMax === undefined ? {} : { bulkhead: { concurrencyMax } }),
      ...(cache === true ? { cache: { freshMs: 1000 } } : {}),
    },
    { clock, random: () => 0.5 },
  );
  return {
    call: async (work) => await pipeline.execute((context) => work({ signal: context.signal }), { key: 'key' }),
    isOpen: () => pipeline.snapshot().breaker!.state === 'open',
    pass: async (ms) => await clock.advance(ms),
    close: () => pipeline.close(),
  };
}

function opossum({ concurrencyMax, minimumCalls, timeout, cache }: Limits): Subject {
  const abortController = new AbortController();
  const breaker = new CircuitBreaker<[Work]>((work: Work) => work({ signal: abortController.signal }) as Promise<unknown>, {
    timeout: timeout === false ? false : timeoutMs,
    resetTimeout: breakDurationMs,
    abortController,
    ...(concurrencyMax === undefined ? {} : { capacity: concurrencyMax }),
    ...(minimumCalls === undefined ? {} : { volumeThreshold: minimumCalls }),
    ...(cache === true ? { cache: true, cacheTransport: asyncTransport, cacheGetKey: () => 'key' } : {}),
  });
  return {
    call: async (work) => await breaker.fire(work),
    isOpen: () => breaker.opened,
    pass: async (ms) => {
      await settled();
      vi.advanceTimersByTime(ms);
      await settled();
    },
    close: () => breaker.shutdown(),
  };
}

/** An empty cache whose answers are promises, like one in Redis. */
const asyncTransport = { get: () => Promise.resolve(undefined), set: () => undefined, flush: () => undefined } as unknown as NonNullable<
  CircuitBreaker.Options['cacheTransport']
>;

const never = (): Promise<never> => new Promise(() => undefined);
const failing = (): Promise<never> => Promise.reject(new Error('down'));
const succeeding = (): Promise<string> => Promise.resolve('well');

interface Defect {
  readonly promise: string;
  readonly limits: Limits;
  /** @throws when the subject breaks the promise */
  readonly check: (subject: Subject) => Promise<void>;
}

const defects: readonly Defect[] = [
  {
    promise: 'the concurrency limit holds while the work of timed-out calls continues',
    limits: { concurrencyMax: 2, minimumCalls: 1000 },
    async check(subject) {
      let running = 0;
      for (let round = 0; round < 5; round += 1) {
        const calls = Array.from({ length: 4 }, () =>
          subject
            .call(() => {
              running += 1;
              return never();
            })
            .catch(() => undefined),
        );
        await subject.pass(timeoutMs + 5);
        await Promise.all(calls);
      }
      expect(running).toBe(2);
    },
  },
  {
    promise: 'a full bulkhead does not count against the dependency',
    limits: { concurrencyMax: 1 },
    async check(subject) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const healthy = subject.call(() => promise);
      await Promise.allSettled(Array.from({ length: 50 }, () => subject.call(succeeding)));
      expect(subject.isOpen()).toBe(false);
      resolve();
      await healthy;
    },
  },
  {
    promise: 'the circuit does not open after one failure',
    limits: {},
    async check(subject) {
      await subject.call(failing).catch(() => undefined);
      expect(subject.isOpen()).toBe(false);
    },
  },
  {
    promise: 'work may return undefined instead of a promise',
    limits: {},
    async check(subject) {
      await expect(subject.call(() => undefined)).resolves.toBeUndefined();
    },
  },
  {
    promise: 'a slow call does not abort a healthy one',
    limits: { minimumCalls: 1000 },
    async check(subject) {
      const hung = subject.call(never).catch(() => undefined);
      await subject.pass(timeoutMs / 2);
      let healthy: AbortSignal | undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      const call = subject.call(({ signal }) => {
        healthy = signal;
        return promise;
      });
      await subject.pass(timeoutMs / 2 + 1);
      await hung;
      expect(healthy?.aborted).toBe(false);
      resolve();
      await call;
    },
  },
  {
    promise: 'the circuit recovers when its probe hangs',
    limits: { timeout: false, minimumCalls: 1 },
    async check(subject) {
      await subject.call(failing).catch(() => undefined);
      await subject.pass(breakDurationMs + 5);
      const probe = subject.call(never).catch(() => undefined);
      await subject.pass(1000);
      await Promise.race([probe, settled()]);
      await subject.pass(2 * breakDurationMs + 5);
      await expect(subject.call(succeeding)).resolves.toBe('well');
    },
  },
  {
    promise: 'a slow success from before the opening does not close the circuit',
    limits: { timeout: false, minimumCalls: 1 },
    async check(subject) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const old = subject.call(() => promise);
      await subject.call(failing).catch(() => undefined);
      expect(subject.isOpen()).toBe(true);
      await subject.pass(breakDurationMs + 5);
      resolve();
      await old;
      await settled();
      // One probe passes and fails. If the old success had closed the circuit, many calls would pass.
      let begun = 0;
      const probes = Array.from({ length: 5 }, () =>
        subject
          .call(() => {
            begun += 1;
            return failing();
          })
          .catch(() => undefined),
      );
      await Promise.all(probes);
      expect(begun).toBe(1);
    },
  },
  {
    promise: 'the work runs when the cache has no answer',
    limits: { cache: true },
    async check(subject) {
      await expect(subject.call(succeeding)).resolves.toBe('well');
    },
  },
];

// Opossum uses only the clock of the machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(defects)('$promise', ({ limits, check }) => {
  it('a pipeline keeps the promise', async () => {
    const subject = ours(limits);
    await expect(check(subject)).resolves.toBeUndefined();
    subject.close();
  });

  it('opossum breaks the promise by default', async () => {
    const subject = opossum(limits);
    await expect(check(subject)).rejects.toBeInstanceOf(Error);
    subject.close();
  });
});

describe('fallbacks have their own concurrency limit', () => {
  const fallbacks = { most: 0, running: 0 };
  const slow = async (): Promise<string> => {
    fallbacks.running += 1;
    fallbacks.most = Math.max(fallbacks.most, fallbacks.running);
    await settled();
    fallbacks.running -= 1;
    return 'instead';
  };

  it('a pipeline keeps the promise', async () => {
    fallbacks.most = 0;
    const pipeline = createPipeline(
      { name: 'ours', fallbackConcurrencyMax: 3, fallbacks: [{ kind: 'stub', value: slow }] },
      { clock: new VirtualClock() },
    );
    await Promise.allSettled(Array.from({ length: 50 }, () => pipeline.execute(failing)));
    expect(fallbacks.most).toBe(3);
  });

  it('opossum breaks the promise by default', async () => {
    fallbacks.most = 0;
    const breaker = new CircuitBreaker(failing, { capacity: 3 });
    breaker.fallback(slow);
    await Promise.allSettled(Array.from({ length: 50 }, () => breaker.fire()));
    expect(fallbacks.most).toBe(50);
    breaker.shutdown();
  });
});

/** Number of sorted elements during one failure, per sample in the window. */
async function sorted(samples: number, fail: () => Promise<unknown>): Promise<number> {
  const sort = vi.spyOn(Array.prototype, 'sort');
  await fail().catch(() => undefined);
  const touched = sort.mock.contexts.reduce<number>((sum, array) => sum + (array as unknown[]).length, 0);
  sort.mockRestore();
  return touched / samples;
}

describe('the cost of a failure does not grow with the window', () => {
  it('a pipeline keeps the promise', async () => {
    const pipeline = createPipeline({ name: 'ours', breaker: {} }, { clock: new VirtualClock() });
    for (let i = 0; i < 1000; i += 1) await pipeline.execute(succeeding);
    expect(await sorted(1000, () => pipeline.execute(failing))).toBe(0);
  });

  it('opossum breaks the promise by default: it sorts all latencies of the window', async () => {
    let fails = false;
    const breaker = new CircuitBreaker(() => (fails ? failing() : succeeding()));
    for (let i = 0; i < 1000; i += 1) await breaker.fire();
    fails = true;
    expect(await sorted(1000, () => breaker.fire())).toBeGreaterThanOrEqual(1);
    breaker.shutdown();
  });
});

describe('rejections carry no stack trace', () => {
  it('a pipeline keeps the promise', async () => {
    const pipeline = createPipeline({ name: 'ours', breaker: {} }, { clock: new VirtualClock() });
    pipeline.forceOpen();
    const error = await pipeline.execute(succeeding).catch((reason: unknown) => reason as Error);
    expect((error as Error).stack).not.toContain('\n    at ');
  });

  it('opossum breaks the promise by default', async () => {
    const breaker = new CircuitBreaker(succeeding);
    breaker.open();
    const error = await breaker.fire().catch((reason: unknown) => reason as Error);
    expect((error as Error).stack).toContain('\n    at ');
    breaker.shutdown();
  });
});

import { type PipelineDeps, createPipeline } from '@millrace/resilience';
import {
  type IPolicy,
  ConsecutiveBreaker,
  SamplingBreaker,
  TimeoutStrategy,
  bulkhead,
  circuitBreaker,
  handleAll,
  retry,
  timeout,
  wrap,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import type { Calls, Subject } from './measure.ts';

const hourMs = 3_600_000;
const timeoutMs = 10_000;
const concurrencyMax = 25;
const work = async (): Promise<number> => 1;
const workWithSignal = async ({ signal }: { readonly signal: AbortSignal }): Promise<boolean> => signal.aborted;
const failure = new Error('the dependency failed');
const failing = async (): Promise<never> => {
  throw failure;
};

/** A set of subjects. `close` releases their timers. */
export interface SubjectSet {
  readonly subjects: readonly Subject[];
  close(): void;
}

function repeated(call: () => Promise<unknown>): Calls {
  return async (n) => {
    for (let i = 0; i < n; i += 1) await call();
  };
}

function repeatedFailing(call: () => Promise<unknown>): Calls {
  return async (n) => {
    for (let i = 0; i < n; i += 1) {
      try {
        await call();
      } catch {
        // The failure is measured, not handled.
      }
    }
  };
}

/** Successful calls with breaker, bulkhead, timeout and a long-lived signal of the caller. */
export function onSuccess(): SubjectSet {
  const { signal } = new AbortController();
  const spec = { timeout: { attemptMs: timeoutMs }, breaker: {}, bulkhead: { concurrencyMax } } as const;
  const ours = createPipeline({ name: 'ours', ...spec });
  const heard = createPipeline({ name: 'heard', ...spec }, { onEvent: () => undefined });
  const retrying = createPipeline({ name: 'retrying', ...spec, retry: {} });
  const bare = new CircuitBreaker(work, { timeout: false });
  const usual = new CircuitBreaker(work, { timeout: timeoutMs, capacity: concurrencyMax });
  const options = { signal };
  const retryOptions = { signal, idempotent: true };
  const wrapped = wrap(...cockatielPolicies());
  const wrappedRetry = wrap(retry(handleAll, { maxAttempts: 3 }), ...cockatielPolicies());
  return {
    subjects: [
      { name: 'opossum, no policy but the breaker', calls: repeated(() => bare.fire()) },
      { name: 'opossum, timeout and capacity', calls: repeated(() => usual.fire()) },
      { name: 'cockatiel wrap', calls: repeated(() => wrapped.execute(workWithSignal, signal)) },
      { name: 'cockatiel wrap with retry', calls: repeated(() => wrappedRetry.execute(workWithSignal, signal)) },
      { name: 'ours', calls: repeated(() => ours.execute(work, options)) },
      { name: 'ours, work reads its signal', calls: repeated(() => ours.execute(workWithSignal, options)) },
      { name: 'ours, with a listener', calls: repeated(() => heard.execute(work, options)) },
      { name: 'ours with retry', calls: repeated(() => retrying.execute(work, retryOptions)) },
    ],
    close: () => {
      for (const pipeline of [ours, heard, retrying]) pipeline.close();
      for (const breaker of [bare, usual]) breaker.shutdown();
    },
  };
}

/** Calls to an open circuit. */
export async function onRejection(): Promise<SubjectSet> {
  const ours = createPipeline({ name: 'ours', breaker: {}, bulkhead: {} });
  ours.forceOpen();
  const opossum = new CircuitBreaker(work, { resetTimeout: hourMs });
  opossum.open();
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: hourMs, breaker: new ConsecutiveBreaker(1) });
  const cockatiel = wrap(breaker, bulkhead(concurrencyMax), timeout(timeoutMs, TimeoutStrategy.Aggressive));
  await repeatedFailing(() => cockatiel.execute(failing))(2);
  return {
    subjects: [
      { name: 'opossum', calls: repeatedFailing(() => opossum.fire()) },
      { name: 'cockatiel wrap', calls: repeatedFailing(() => cockatiel.execute(work)) },
      { name: 'ours', calls: repeatedFailing(() => ours.execute(work)) },
    ],
    close: () => {
      ours.close();
      opossum.shutdown();
    },
  };
}

/** Failing calls with this number of calls in the window. The circuits stay closed. */
export async function onFailure(samples: number, deps: PipelineDeps = {}): Promise<SubjectSet> {
  let fails = false;
  const either = async (): Promise<number> => {
    if (fails) throw failure;
    return 1;
  };
  const ours = createPipeline({ name: 'ours', breaker: { windowMs: hourMs, failureRatio: 2, slowCallRatio: 2 }, bulkhead: {} }, deps);
  const opossum = new CircuitBreaker(either, { timeout: false, rollingCountTimeout: hourMs, errorThresholdPercentage: 100 });
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: hourMs,
    breaker: new SamplingBreaker({ duration: hourMs, threshold: 0.999_999, minimumRps: 1e9 }),
  });
  const cockatiel = wrap(breaker, bulkhead(concurrencyMax), timeout(timeoutMs, TimeoutStrategy.Aggressive));
  await repeated(() => ours.execute(either))(samples);
  await repeated(() => opossum.fire())(samples);
  await repeated(() => cockatiel.execute(either))(samples);
  fails = true;
  return {
    subjects: [
      { name: 'opossum', calls: repeatedFailing(() => opossum.fire()) },
      { name: 'cockatiel wrap', calls: repeatedFailing(() => cockatiel.execute(either)) },
      { name: 'ours', calls: repeatedFailing(() => ours.execute(either)) },
    ],
    close: () => {
      ours.close();
      opossum.shutdown();
    },
  };
}

function cockatielPolicies(): [IPolicy, IPolicy, IPolicy] {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: 5000,
    breaker: new SamplingBreaker({ duration: 10_000, threshold: 0.5, minimumRps: 2 }),
  });
  return [breaker, bulkhead(concurrencyMax), timeout(timeoutMs, TimeoutStrategy.Aggressive)];
}

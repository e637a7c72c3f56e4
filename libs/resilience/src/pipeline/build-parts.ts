import { Bulkhead } from '../admission/bulkhead.ts';
import { LoadShedder } from '../admission/load-shedder.ts';
import { AttemptRunner } from '../attempt/attempt-runner.ts';
import type { AttemptDeps } from '../attempt/attempt.ts';
import { Chaos } from '../attempt/chaos.ts';
import { Breaker } from '../breaker/breaker.ts';
import { OpossumGate } from '../breaker/opossum-gate.ts';
import { AnswerCache } from '../cache/answer-cache.ts';
import { Coalescer } from '../cache/coalescer.ts';
import type { CallDeps } from '../call/call.ts';
import { Lifecycle } from '../call/lifecycle.ts';
import { classifyError, type ErrorClass } from '../errors/error-class.ts';
import { Fallbacks } from '../fallback/fallbacks.ts';
import type { RetryBudget } from '../retry/retry-budget.ts';
import { Retry } from '../retry/retry.ts';
import { createRetryBudget } from '../retry/rolling-retry-budget.ts';
import type { PipelineSettings } from '../settings/pipeline-settings.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';
import { Counters } from '../telemetry/counters.ts';
import { EventHub } from '../telemetry/event-hub.ts';
import { AbortFanOut } from '../time/abort-fan-out.ts';
import { monotonicReader, systemClock } from '../time/clock.ts';
import { systemRandom } from '../time/system-random.ts';
import { TimerQueue } from '../time/timer-queue.ts';
import { Waits } from '../time/wait.ts';
import type { PipelineDeps } from './pipeline.ts';

/** All parts of one pipeline. Only the classes of this folder see all of them. */
export interface PipelineParts {
  readonly call: CallDeps;
  readonly attempt: AttemptDeps;
  readonly runner: AttemptRunner;
  readonly retry: Retry | undefined;
  readonly budget: RetryBudget | undefined;
  readonly gate: OpossumGate | undefined;
  readonly shedder: LoadShedder | undefined;
  readonly cache: AnswerCache | undefined;
  readonly coalescer: Coalescer;
  readonly fallbacks: Fallbacks;
  readonly waits: Waits;
  readonly events: EventHub;
  readonly lifecycle: Lifecycle;
}

/** Creates the parts of a pipeline and gives each part the few things that it uses. */
export function buildParts(spec: PipelineSpec, settings: PipelineSettings, deps: PipelineDeps): PipelineParts {
  const { clock = systemClock, random = systemRandom, onEvent } = deps;
  const { name } = settings;
  const monotonic = monotonicReader(clock);
  const inForce = { current: settings };
  const classify = classifySafely(spec.classify ?? classifyError);
  const counters = new Counters();
  const events = new EventHub(name, clock);
  if (onEvent !== undefined) events.subscribe(onEvent);
  const fanOut = new AbortFanOut();
  const waits = new Waits(clock, fanOut);
  const lifecycle = new Lifecycle(counters, () => {
    attempt.timers.release();
    fanOut.release();
  });

  const gate = settings.breaker && new OpossumGate(name);
  const attempt: AttemptDeps = {
    name,
    clock,
    monotonic,
    fanOut,
    timers: new TimerQueue(settings.timeout.attemptMs, clock, monotonic),
    breaker: settings.breaker && new Breaker(settings.breaker, { clock, monotonic, random, events, gate: gate! }),
    bulkhead: settings.bulkhead && new Bulkhead(settings.bulkhead),
    chaos: settings.chaos.allowed ? new Chaos(settings.chaos.rules, { name, clock, random, events, counters }) : undefined,
    classify,
    counters,
    events,
    lifecycle,
  };
  const call: CallDeps = { name, clock, monotonic, settings: inForce, counters, events, lifecycle };
  const shared = { name, settings: inForce, classify, waits, lifecycle, counters, events };
  const runner = new AttemptRunner(attempt, { gate, waits, lifecycle });
  const budget = settings.retry && (deps.retryBudget ?? createRetryBudget(settings.retry.budget, { clock }));
  const cache = settings.cache && new AnswerCache(settings.cache.entriesMax);
  return {
    call,
    attempt,
    runner,
    retry: budget && new Retry({ ...shared, runner, budget, random }),
    budget,
    gate,
    shedder: settings.shed && new LoadShedder(settings.shed, deps.load!, monotonic, events),
    cache,
    coalescer: new Coalescer(call, waits),
    fallbacks: new Fallbacks(spec.fallbacks ?? [], { ...shared, cache, monotonic }),
    waits,
    events,
    lifecycle,
  };
}

/** An error of the application's `classify` must not replace the result of the call: the error is transient then. */
function classifySafely(classify: (error: unknown) => ErrorClass): (error: unknown) => ErrorClass {
  return (error) => {
    try {
      return classify(error);
    } catch {
      return 'transient';
    }
  };
}

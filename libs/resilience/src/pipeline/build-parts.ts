import { AbortFanOut } from '../time/abort-fan-out.ts';
import { Breaker } from '../breaker/breaker.ts';
import { Bulkhead } from '../admission/bulkhead.ts';
import { Chaos } from '../attempt/chaos.ts';
import { monotonicOf, systemClock } from '../time/clock.ts';
import { Counters } from '../telemetry/counters.ts';
import { classifyError } from '../errors/error-class.ts';
import { EventHub } from '../telemetry/event-hub.ts';
import { OpossumGate } from '../breaker/opossum-gate.ts';
import type { PipelineSite } from './pipeline-site.ts';
import type { PipelineDeps } from './pipeline.ts';
import type { PipelineSettings } from '../settings/pipeline-settings.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';
import { systemRandom } from '../time/system-random.ts';
import { TimerQueue } from '../time/timer-queue.ts';
import { Waits } from '../time/wait.ts';

/** What the policies of one pipeline share, made from its settings. */
export function buildSite({ classify = classifyError }: PipelineSpec, settings: PipelineSettings, deps: PipelineDeps, noticeIdle: () => void): PipelineSite {
  const { clock = systemClock, random = systemRandom, onEvent } = deps;
  const { name } = settings;
  const monotonic = monotonicOf(clock);
  const events = new EventHub(name, clock);
  if (onEvent !== undefined) events.subscribe(onEvent);
  const counters = new Counters();
  const fanOut = new AbortFanOut();
  const gate = settings.breaker && new OpossumGate(name);
  return {
    name,
    clock,
    monotonic,
    random,
    events,
    counters,
    fanOut,
    noticeIdle,
    settings,
    state: 'running',
    waits: new Waits(clock, fanOut),
    attemptTimers: new TimerQueue(settings.timeout.attemptMs, clock, monotonic),
    // A judgement that fails must not cost the call its end: it is then what it is by default.
    classify: (error) => {
      try {
        return classify(error);
      } catch {
        return 'transient';
      }
    },
    gate,
    breaker: settings.breaker && new Breaker(settings.breaker, { clock, monotonic, random, events, gate: gate! }),
    bulkhead: settings.bulkhead && new Bulkhead(settings.bulkhead),
    chaos: settings.chaos.allowed ? new Chaos({ name, clock, random, events, counters }) : undefined,
  };
}

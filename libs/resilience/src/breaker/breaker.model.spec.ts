import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BreakerSettings } from './breaker-strategy.ts';
import { Breaker, notAdmitted } from './breaker.ts';
import { EventHub } from '../telemetry/event-hub.ts';
import { modelRuns } from '../testing/model-runs.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

const settings: BreakerSettings = {
  windowMs: 100,
  buckets: 5,
  minimumCalls: 3,
  failureRatio: 0.5,
  slowCallMs: 1000,
  slowCallRatio: 0.75,
  breakDurationMs: 50,
  breakDurationFactor: 2,
  breakDurationMsMax: 150,
  breakDurationJitter: 0,
  probes: 2,
  rampMs: 0,
};
const bucketMs = settings.windowMs / settings.buckets;

type Ending = 'good' | 'slow' | 'bad' | 'neutral';

/** Simple model of a breaker. It stores every call and computes everything from scratch. */
class ModelBreaker {
  state: 'closed' | 'open' | 'half-open' = 'closed';
  era = 0;
  #calls: { readonly atMs: number; readonly ending: Ending }[] = [];
  #untilMs = 0;
  #failedRecoveries = 0;
  #probes: ('running' | Ending)[] = [];

  admit(nowMs: number): number | undefined {
    if (this.state === 'open' && nowMs >= this.#untilMs) {
      this.state = 'half-open';
      this.era += 1;
      this.#probes = [];
    }
    if (this.state === 'open') return undefined;
    if (this.state === 'half-open') {
      if (this.#probes.length >= settings.probes) return undefined;
      this.#probes.push('running');
    }
    return this.era;
  }

  end(era: number, ending: Ending, nowMs: number): void {
    if (era !== this.era) return;
    if (this.state === 'half-open') {
      this.#endProbe(ending, nowMs);
      return;
    }
    if (ending === 'neutral') return;
    this.#calls.push({ atMs: nowMs, ending });
    const recent = this.recent(nowMs);
    const share = (kind: Ending): number => recent.filter((call) => call.ending === kind).length / recent.length;
    if (
      ending !== 'good' &&
      recent.length >= settings.minimumCalls &&
      (share('bad') >= settings.failureRatio || share('slow') >= settings.slowCallRatio)
    )
      this.#open(0, nowMs);
  }

  /** Visible state, even if no call followed the end of the break duration. */
  visibleState(nowMs: number): 'closed' | 'open' | 'half-open' {
    return this.state === 'open' && nowMs >= this.#untilMs ? 'half-open' : this.state;
  }

  recent(nowMs: number): readonly { readonly ending: Ending }[] {
    return this.#calls.filter(({ atMs }) => Math.floor(atMs / bucketMs) > Math.floor(nowMs / bucketMs) - settings.buckets);
  }

  #endProbe(ending: Ending, nowMs: number): void {
    this.#probes.splice(this.#probes.indexOf('running'), 1);
    if (ending === 'neutral') return;
    this.#probes.push(ending);
    if (ending === 'bad') {
      this.#open(this.#failedRecoveries + 1, nowMs);
      return;
    }
    if (this.#probes.filter((probe) => probe !== 'running').length < settings.probes) return;
    if (this.#probes.filter((probe) => probe === 'slow').length >= settings.probes * settings.slowCallRatio) {
      this.#open(this.#failedRecoveries + 1, nowMs);
      return;
    }
    this.state = 'closed';
    this.era += 1;
    this.#calls = [];
  }

  #open(failedRecoveries: number, nowMs: number): void {
    this.#failedRecoveries = failedRecoveries;
    this.state = 'open';
    this.era += 1;
    this.#untilMs =
      nowMs + Math.min(settings.breakDurationMsMax, settings.breakDurationMs * settings.breakDurationFactor ** failedRecoveries);
  }
}

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end'; readonly which: number; readonly ending: Ending };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }),
  { arbitrary: fc.record({ kind: fc.constant('begin' as const) }), weight: 3 },
  {
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(5),
      ending: fc.constantFrom<Ending>('good', 'slow', 'bad', 'bad', 'neutral'),
    }),
    weight: 3,
  },
);

function run(steps: readonly Step[]): void {
  const clock = new VirtualClock(0);
  let nowMs = 0;
  let gateOpen = false;
  const breaker = new Breaker(settings, {
    clock,
    monotonic: () => nowMs,
    random: () => 0,
    events: new EventHub('model', clock),
    gate: { open: () => (gateOpen = true), close: () => (gateOpen = false) },
  });
  const model = new ModelBreaker();
  const admissions: (readonly [boolean, boolean])[] = [];
  const running: { readonly ticket: number; readonly era: number }[] = [];
  for (const each of steps) {
    if (each.kind === 'pass') nowMs += each.ms;
    else if (each.kind === 'begin') {
      const ticket = breaker.admit(nowMs);
      const era = model.admit(nowMs);
      admissions.push([ticket !== notAdmitted, era !== undefined]);
      if (era !== undefined) running.push({ ticket, era });
    } else if (running.length > 0) {
      const [{ ticket, era }] = running.splice(each.which % running.length, 1) as [{ readonly ticket: number; readonly era: number }];
      if (each.ending === 'neutral') breaker.discard(ticket);
      else breaker.record(ticket, each.ending === 'bad', each.ending === 'slow', nowMs);
      model.end(era, each.ending, nowMs);
    }
    const { state, calls } = breaker.snapshot();
    const comparable = state === 'closed' ? calls : undefined;
    expect([state, gateOpen, comparable]).toEqual([
      model.visibleState(nowMs),
      model.state !== 'closed',
      model.state === 'closed' ? model.recent(nowMs).length : undefined,
    ]);
  }
  expect(admissions.map(([ours]) => ours)).toEqual(admissions.map(([, plain]) => plain));
}

describe('Breaker', () => {
  it('the breaker behaves like a simple model under any schedule', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), run), modelRuns(500));
  });
});

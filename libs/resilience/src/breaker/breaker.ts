import type { EventHub } from '../telemetry/event-hub.ts';
import type { BreakerMode, BreakerStateName } from '../telemetry/pipeline-event.ts';
import type { BreakerSnapshot } from '../telemetry/pipeline-snapshot.ts';
import type { Clock } from '../time/clock.ts';
import { RollingCounts } from '../time/rolling-counts.ts';
import { type BreakerSettings, computeBreakDurationMs, computeRampRatio, findOpenReason, type RecordedCalls } from './breaker-strategy.ts';
import type { OpossumGate } from './opossum-gate.ts';

/** State of the circuit. Times are monotonic milliseconds. */
type State = ClosedState | OpenState | HalfOpenState;

interface ClosedState {
  readonly kind: 'closed';
  readonly sinceMs: number;
  readonly rampMs: number;
  readonly failedRecoveries: number;
}

interface OpenState {
  readonly kind: 'open';
  readonly untilMs: number;
  readonly failedRecoveries: number;
}

interface HalfOpenState {
  readonly kind: 'half-open';
  /** Probes that run. */
  running: number;
  succeeded: number;
  slow: number;
  readonly failedRecoveries: number;
}

/** Returned by {@link Breaker.admit} instead of a ticket when the call is not admitted. */
export const notAdmitted = -1;

/** Kinds of the counters in the window. */
const callKind = 0;
const failureKind = 1;
const slowKind = 2;

/** Dependencies of a breaker. */
export interface BreakerDeps {
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly events: EventHub;
  /** Follows the state of the circuit. */
  readonly gate: Pick<OpossumGate, 'open' | 'close'>;
}

/**
 * State machine of the circuit breaker. {@link admit} gives a call a ticket: the generation of the state that admitted it.
 * The result of the call is recorded with that ticket. A ticket of an earlier generation is ignored: a slow success from before
 * the circuit opened says nothing about the dependency now.
 */
export class Breaker {
  readonly #deps: BreakerDeps;
  #settings: BreakerSettings;
  #mode: BreakerMode = 'auto';
  #state: State;
  #generation = 0;
  /** Epoch milliseconds. */
  #stateSince: number;
  #window: RollingCounts;

  constructor(settings: BreakerSettings, deps: BreakerDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#window = new RollingCounts(settings.windowMs, settings.buckets, 3);
    this.#state = { kind: 'closed', sinceMs: deps.monotonic(), rampMs: 0, failedRecoveries: 0 };
    this.#stateSince = deps.clock.now();
  }

  /** Returns a ticket or {@link notAdmitted}. Return each ticket once, with {@link record} or {@link discard}. */
  admit(nowMs: number): number {
    if (this.#mode !== 'auto') return this.#mode === 'forced-open' ? notAdmitted : this.#generation;
    const state = this.#state;
    if (state.kind === 'closed') return this.#passesRamp(state, nowMs) ? this.#generation : notAdmitted;
    if (state.kind === 'open' && nowMs < state.untilMs) return notAdmitted;
    const halfOpen = state.kind === 'half-open' ? state : this.#halfOpen(state.failedRecoveries);
    if (halfOpen.running + halfOpen.succeeded >= this.#settings.probes) return notAdmitted;
    halfOpen.running += 1;
    return this.#generation;
  }

  /** Whether the state that gave this ticket still holds. */
  isCurrent(ticket: number): boolean {
    return ticket === this.#generation;
  }

  /** Whether a call with a current ticket passes the gate. Probes and calls of a disabled breaker bypass it. */
  get usesGate(): boolean {
    return this.#mode === 'forced-closed' || (this.#mode === 'auto' && this.#state.kind === 'closed');
  }

  /** A call that takes longer than this is slow, in milliseconds. */
  get slowCallMs(): number {
    return this.#settings.slowCallMs;
  }

  /** Records the result of a call. */
  record(ticket: number, failed: boolean, slow: boolean, nowMs: number): void {
    if (ticket !== this.#generation || this.#mode === 'disabled') return;
    const state = this.#state;
    // An open circuit has given no ticket.
    switch (state.kind) {
      case 'half-open':
        this.#recordProbe(state, failed, slow);
        return;
      case 'closed':
        this.#recordCall(state, failed, slow, nowMs);
        return;
      default:
    }
  }

  /**
   * Records a call that was slow already when its caller's deadline ended it. A probe without an answer failed; another call was only slow.
   */
  recordSlowWithoutAnswer(ticket: number, nowMs: number): void {
    this.record(ticket, this.#state.kind === 'half-open', true, nowMs);
  }

  /** Returns the ticket of a call that says nothing about the dependency. */
  discard(ticket: number): void {
    if (ticket === this.#generation && this.#state.kind === 'half-open') this.#state.running -= 1;
  }

  /** Milliseconds until a rejected call may pass; undefined when that depends on other calls. */
  retryAfterMs(nowMs: number): number | undefined {
    return this.#state.kind === 'open' ? Math.max(0, Math.ceil(this.#state.untilMs - nowMs)) : undefined;
  }

  /** Gives control to an operator, or back to the breaker. The circuit then starts closed, with an empty window. */
  setMode(mode: BreakerMode): void {
    const { events, gate, monotonic } = this.#deps;
    const wasOpen = this.#mode === 'forced-open' || this.#state.kind !== 'closed';
    const recorded = this.#recordedCalls(monotonic());
    this.#mode = mode;
    this.#window.clear();
    this.#enter({ kind: 'closed', sinceMs: monotonic(), rampMs: 0, failedRecoveries: 0 });
    const isOpen = mode === 'forced-open';
    if (isOpen) gate.open();
    else gate.close();
    events.emit({ type: 'CircuitModeChanged', mode, state: isOpen ? 'open' : 'closed' });
    if (isOpen && !wasOpen) events.emit({ type: 'CircuitOpened', reason: 'forced', calls: recorded.calls, ...computeRatios(recorded) });
    if (wasOpen && !isOpen) events.emit({ type: 'CircuitClosed', reason: 'forced', rampMs: 0 });
  }

  update(settings: BreakerSettings): void {
    const { windowMs, buckets } = this.#settings;
    this.#settings = settings;
    if (settings.windowMs !== windowMs || settings.buckets !== buckets) {
      this.#window = new RollingCounts(settings.windowMs, settings.buckets, 3);
    }
    // Enough probes may have succeeded for the new number of probes. No further probe would then end the half-open state.
    if (this.#state.kind === 'half-open') this.#evaluateProbes(this.#state);
  }

  snapshot(): BreakerSnapshot {
    const nowMs = this.#deps.monotonic();
    const recorded = this.#recordedCalls(nowMs);
    const retryAfterMs = this.retryAfterMs(nowMs);
    return {
      mode: this.#mode,
      state: this.#stateName(nowMs),
      sinceMs: this.#stateSince,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...recorded,
      ...computeRatios(recorded),
    };
  }

  #stateName(nowMs: number): BreakerStateName {
    const state = this.#state;
    if (this.#mode === 'forced-open') return 'open';
    // The state changes only with a call. Without this line, an unused circuit would look open long after its open time.
    if (state.kind === 'open') return nowMs < state.untilMs ? 'open' : 'half-open';
    if (state.kind === 'half-open') return 'half-open';
    return nowMs - state.sinceMs < state.rampMs ? 'ramping' : 'closed';
  }

  #passesRamp({ sinceMs, rampMs }: ClosedState, nowMs: number): boolean {
    return rampMs === 0 || this.#deps.random() < computeRampRatio(nowMs - sinceMs, rampMs);
  }

  #recordCall(state: ClosedState, failed: boolean, slow: boolean, nowMs: number): void {
    this.#window.add(callKind, nowMs);
    if (failed) this.#window.add(failureKind, nowMs);
    if (slow) this.#window.add(slowKind, nowMs);
    if (this.#mode !== 'auto' || (!failed && !slow)) return;
    const reason = findOpenReason(this.#recordedCalls(nowMs), this.#settings);
    if (reason !== undefined) this.#open(reason, countFailedRecoveries(state, nowMs));
  }

  #recordProbe(state: HalfOpenState, failed: boolean, slow: boolean): void {
    state.running -= 1;
    if (failed) {
      this.#open('probe-failed', state.failedRecoveries + 1);
      return;
    }
    state.succeeded += 1;
    if (slow) state.slow += 1;
    this.#evaluateProbes(state);
  }

  #evaluateProbes(state: HalfOpenState): void {
    if (state.succeeded < this.#settings.probes) return;
    if (state.slow >= state.succeeded * this.#settings.slowCallRatio) this.#open('probe-failed', state.failedRecoveries + 1);
    else this.#close(state.failedRecoveries);
  }

  #open(reason: 'failures' | 'slowness' | 'probe-failed', failedRecoveries: number): void {
    const nowMs = this.#deps.monotonic();
    const breakDurationMs = computeBreakDurationMs(failedRecoveries, this.#settings, this.#deps.random);
    const recorded = this.#recordedCalls(nowMs);
    this.#enter({ kind: 'open', untilMs: nowMs + breakDurationMs, failedRecoveries });
    this.#deps.gate.open();
    this.#deps.events.emit({ type: 'CircuitOpened', reason, breakDurationMs, calls: recorded.calls, ...computeRatios(recorded) });
  }

  #halfOpen(failedRecoveries: number): HalfOpenState {
    const state: HalfOpenState = { kind: 'half-open', running: 0, succeeded: 0, slow: 0, failedRecoveries };
    this.#enter(state);
    this.#deps.events.emit({ type: 'CircuitHalfOpened', probes: this.#settings.probes });
    return state;
  }

  #close(failedRecoveries: number): void {
    const { rampMs } = this.#settings;
    this.#window.clear();
    this.#enter({ kind: 'closed', sinceMs: this.#deps.monotonic(), rampMs, failedRecoveries });
    this.#deps.gate.close();
    this.#deps.events.emit({ type: 'CircuitClosed', reason: 'probed', rampMs });
  }

  #enter(state: State): void {
    this.#state = state;
    this.#stateSince = this.#deps.clock.now();
    this.#generation += 1;
  }

  #recordedCalls(nowMs: number): RecordedCalls {
    return {
      calls: this.#window.total(callKind, nowMs),
      failures: this.#window.total(failureKind, nowMs),
      slowCalls: this.#window.total(slowKind, nowMs),
    };
  }
}

/** A circuit that fails during its ramp has not recovered, so its open time continues to grow. */
function countFailedRecoveries(state: ClosedState, nowMs: number): number {
  return nowMs - state.sinceMs < state.rampMs ? state.failedRecoveries + 1 : 0;
}

function computeRatios({ calls, failures, slowCalls }: RecordedCalls): Pick<BreakerSnapshot, 'failureRatio' | 'slowCallRatio'> {
  return calls === 0 ? { failureRatio: 0, slowCallRatio: 0 } : { failureRatio: failures / calls, slowCallRatio: slowCalls / calls };
}

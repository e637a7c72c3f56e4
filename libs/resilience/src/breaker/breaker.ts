import { type BreakerSettings, judge, openMsOf, rampShare } from './breaker-strategy.ts';
import type { Clock } from '../time/clock.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import type { OpossumGate } from './opossum-gate.ts';
import { RollingCounts } from '../time/rolling-counts.ts';
import type { BreakerMode, BreakerStateName, PipelineSnapshot } from '../telemetry/pipeline-snapshot.ts';

/** Where the circuit stands. Times with `Ms` are monotonic milliseconds. */
type State =
  | { readonly kind: 'closed'; readonly sinceMs: number; readonly rampMs: number; readonly failedProbings: number }
  | { readonly kind: 'open'; readonly untilMs: number; readonly failedProbings: number }
  | { readonly kind: 'half-open'; running: number; succeeded: number; slow: number; readonly failedProbings: number };

/** Answer of {@link Breaker.admit} for a call that may not pass. */
export const refused = -1;

/** Counters of the window. */
const vote = 0;
const failure = 1;
const slowness = 2;

/** What a breaker needs. */
export interface BreakerDeps {
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly events: EventHub;
  /** Follows the state. */
  readonly gate: Pick<OpossumGate, 'open' | 'close'>;
}

/**
 * The circuit breaker's state machine. A call asks {@link admit} and gets a ticket, the number of the state it was let into; later it votes with it.
 * A vote from an earlier state is not counted: a slow success from before the opening says nothing about now.
 */
export class Breaker {
  private mode: BreakerMode = 'auto';
  private state: State;
  private generation = 0;
  /** Epoch milliseconds. */
  private stateSince: number;
  private window: RollingCounts;

  constructor(
    private settings: BreakerSettings,
    private readonly deps: BreakerDeps,
  ) {
    this.window = new RollingCounts(settings.windowMs, settings.buckets, 3);
    this.state = { kind: 'closed', sinceMs: deps.monotonic(), rampMs: 0, failedProbings: 0 };
    this.stateSince = deps.clock.now();
  }

  /** A ticket, or {@link refused}. Each ticket is handed back once, by {@link count} or {@link forget}. */
  admit(nowMs: number): number {
    if (this.mode !== 'auto') return this.mode === 'forced-open' ? refused : this.generation;
    const { state } = this;
    if (state.kind === 'closed') return state.rampMs === 0 || this.passesRamp(state.sinceMs, state.rampMs, nowMs) ? this.generation : refused;
    if (state.kind === 'open' && nowMs < state.untilMs) return refused;
    const probing = state.kind === 'half-open' ? state : this.halfOpen(state.failedProbings);
    if (probing.running + probing.succeeded >= this.settings.probes) return refused;
    probing.running += 1;
    return this.generation;
  }

  /** Whether the ticket's state is still the one that counts. */
  isCurrent(ticket: number): boolean {
    return ticket === this.generation;
  }

  /** Whether a call with a current ticket goes through the gate; probes and calls of a disabled breaker run beside it. */
  get gated(): boolean {
    return this.mode === 'forced-closed' || (this.mode === 'auto' && this.state.kind === 'closed');
  }

  /** An answer later than this is slow, in milliseconds. */
  get slowMs(): number {
    return this.settings.slowMs;
  }

  /** Counts how a call ended. */
  count(ticket: number, failed: boolean, slow: boolean, nowMs: number): void {
    if (ticket !== this.generation || this.mode === 'disabled') return;
    const { state } = this;
    // An open circuit has given no ticket.
    switch (state.kind) {
      case 'half-open':
        this.countProbe(state, failed, slow);
        return;
      case 'closed':
        this.countVote(state, failed, slow, nowMs);
        return;
      default:
    }
  }

  /** Its caller did not let a call go on that was slow by then. A probe has to be answered to succeed; elsewhere it is one more slow answer. */
  countUnanswered(ticket: number, nowMs: number): void {
    this.count(ticket, this.state.kind === 'half-open', true, nowMs);
  }

  /** The call ended without saying anything about the dependency. */
  forget(ticket: number): void {
    if (ticket === this.generation && this.state.kind === 'half-open') this.state.running -= 1;
  }

  /** Milliseconds until a refused call may pass; undefined when that depends on others. */
  retryAfterMs(nowMs: number): number | undefined {
    return this.state.kind === 'open' ? Math.max(0, Math.ceil(this.state.untilMs - nowMs)) : undefined;
  }

  /** Hands the judgement to an operator, or back: then closed, with an empty window. */
  setMode(mode: BreakerMode): void {
    const { events, gate, monotonic } = this.deps;
    const wasOpen = this.mode === 'forced-open' || this.state.kind !== 'closed';
    const votes = this.votes(monotonic());
    this.mode = mode;
    this.window.clear();
    this.enter({ kind: 'closed', sinceMs: monotonic(), rampMs: 0, failedProbings: 0 });
    const isOpen = mode === 'forced-open';
    if (isOpen) gate.open();
    else gate.close();
    events.emit({ type: 'CircuitModeChanged', mode, state: isOpen ? 'open' : 'closed' });
    if (isOpen && !wasOpen) events.emit({ type: 'CircuitOpened', reason: 'forced', votes: votes.votes, ...sharesOf(votes) });
    if (wasOpen && !isOpen) events.emit({ type: 'CircuitClosed', reason: 'forced', rampMs: 0 });
  }

  update(settings: BreakerSettings): void {
    const { windowMs, buckets } = this.settings;
    this.settings = settings;
    if (settings.windowMs !== windowMs || settings.buckets !== buckets) this.window = new RollingCounts(settings.windowMs, settings.buckets, 3);
    // Nobody probes any more when there are to be no more probes than have succeeded.
    if (this.state.kind === 'half-open') this.judgeProbes(this.state);
  }

  snapshot(): NonNullable<PipelineSnapshot['breaker']> {
    const nowMs = this.deps.monotonic();
    const votes = this.votes(nowMs);
    const retryAfterMs = this.retryAfterMs(nowMs);
    return {
      mode: this.mode,
      state: this.stateName(nowMs),
      sinceMs: this.stateSince,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...votes,
      ...sharesOf(votes),
    };
  }

  private stateName(nowMs: number): BreakerStateName {
    const { state } = this;
    if (this.mode === 'forced-open') return 'open';
    // Nobody has to ask for it to be seen: a circuit that nobody calls any more would otherwise look open for ever.
    if (state.kind === 'open') return nowMs < state.untilMs ? 'open' : 'half-open';
    if (state.kind === 'half-open') return 'half-open';
    return nowMs - state.sinceMs < state.rampMs ? 'ramping' : 'closed';
  }

  private passesRamp(sinceMs: number, rampMs: number, nowMs: number): boolean {
    return this.deps.random() < rampShare(nowMs - sinceMs, rampMs);
  }

  private countVote(state: Extract<State, { kind: 'closed' }>, failed: boolean, slow: boolean, nowMs: number): void {
    this.window.add(vote, nowMs);
    if (failed) this.window.add(failure, nowMs);
    if (slow) this.window.add(slowness, nowMs);
    if (this.mode !== 'auto' || (!failed && !slow)) return;
    const reason = judge(this.votes(nowMs), this.settings);
    if (reason !== undefined) this.open(reason, this.failedProbingsOf(state, nowMs));
  }

  private countProbe(state: Extract<State, { kind: 'half-open' }>, failed: boolean, slow: boolean): void {
    state.running -= 1;
    if (failed) {
      this.open('probe-failed', state.failedProbings + 1);
      return;
    }
    state.succeeded += 1;
    if (slow) state.slow += 1;
    this.judgeProbes(state);
  }

  private judgeProbes(state: Extract<State, { kind: 'half-open' }>): void {
    if (state.succeeded < this.settings.probes) return;
    if (state.slow >= state.succeeded * this.settings.slowShareMax) this.open('probe-failed', state.failedProbings + 1);
    else this.close(state.failedProbings);
  }

  private open(reason: 'failures' | 'slowness' | 'probe-failed', failedProbings: number): void {
    const nowMs = this.deps.monotonic();
    const openMs = openMsOf(failedProbings, this.settings, this.deps.random);
    const votes = this.votes(nowMs);
    this.enter({ kind: 'open', untilMs: nowMs + openMs, failedProbings });
    this.deps.gate.open();
    this.deps.events.emit({ type: 'CircuitOpened', reason, openMs, votes: votes.votes, ...sharesOf(votes) });
  }

  private halfOpen(failedProbings: number): Extract<State, { kind: 'half-open' }> {
    const state = { kind: 'half-open' as const, running: 0, succeeded: 0, slow: 0, failedProbings };
    this.enter(state);
    this.deps.events.emit({ type: 'CircuitHalfOpened', probes: this.settings.probes });
    return state;
  }

  private close(failedProbings: number): void {
    const { rampMs } = this.settings;
    this.window.clear();
    this.enter({ kind: 'closed', sinceMs: this.deps.monotonic(), rampMs, failedProbings });
    this.deps.gate.close();
    this.deps.events.emit({ type: 'CircuitClosed', reason: 'probed', rampMs });
  }

  private enter(state: State): void {
    this.state = state;
    this.stateSince = this.deps.clock.now();
    this.generation += 1;
  }

  /** A circuit that fails again while it ramps up has not recovered: its open time goes on growing. */
  private failedProbingsOf(state: Extract<State, { kind: 'closed' }>, nowMs: number): number {
    return nowMs - state.sinceMs < state.rampMs ? state.failedProbings + 1 : 0;
  }

  private votes(nowMs: number): { readonly votes: number; readonly failures: number; readonly slow: number } {
    return { votes: this.window.total(vote, nowMs), failures: this.window.total(failure, nowMs), slow: this.window.total(slowness, nowMs) };
  }
}

function sharesOf({ votes, failures, slow }: { readonly votes: number; readonly failures: number; readonly slow: number }): { readonly failureShare: number; readonly slowShare: number } {
  return votes === 0 ? { failureShare: 0, slowShare: 0 } : { failureShare: failures / votes, slowShare: slow / votes };
}

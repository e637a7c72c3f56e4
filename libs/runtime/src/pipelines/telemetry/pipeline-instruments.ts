import type {
  AttemptResult,
  BreakerMode,
  BreakerStateName,
  CallResult,
  FallbackKind,
  PipelineSnapshot,
  RejectionCode,
} from '@millrace/resilience';

/** Metrics of pipelines. One adapter exists for Prometheus and one for OpenTelemetry, with the same values and different names. */
export interface PipelineInstruments {
  /** Records the end of a call and its duration. */
  call(pipeline: string, outcome: CallResult, seconds: number): void;
  /** Counts an attempt. */
  attempt(pipeline: string, result: AttemptResult): void;
  /** Counts a rejected call or attempt. */
  rejection(pipeline: string, reason: RejectionCode): void;
  /** Counts a fallback that answered or failed. */
  fallback(pipeline: string, kind: FallbackKind, outcome: 'used' | 'failed'): void;
  /** Registers the gauges, which read snapshots on demand. */
  readFrom(snapshots: () => readonly PipelineSnapshot[]): void;
}

/** Bucket bounds for the duration of a call, in seconds: from an answer out of memory to the longest timeouts. */
export const callSecondsBounds: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** All states of a circuit. A mode that an operator has set takes precedence over the state of the breaker. */
export const circuitStates = [
  'closed',
  'ramping',
  'open',
  'half-open',
  'forced-open',
  'forced-closed',
  'disabled',
] as const satisfies readonly (BreakerStateName | BreakerMode)[];

/** One of {@link circuitStates}. */
export type CircuitState = (typeof circuitStates)[number];

/** State under which a circuit is shown. */
export function shownCircuitState({ mode, state }: NonNullable<PipelineSnapshot['breaker']>): CircuitState {
  return mode === 'auto' ? state : mode;
}

/** Highest shed level of all pipelines. */
export function highestShedLevel(snapshots: readonly PipelineSnapshot[]): number {
  return Math.max(0, ...snapshots.map(({ shed }) => shed?.level ?? 0));
}

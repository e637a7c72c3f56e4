import type { AttemptResult, BreakerMode, BreakerStateName, CallResult, FallbackKind, PipelineSnapshot, RejectionCode } from '@millrace/resilience';

/** Where the figures of pipelines go. One adapter for Prometheus, one for OpenTelemetry: same facts, each in its own names. */
export interface PipelineInstruments {
  /** A call is over, after this many seconds. */
  call(pipeline: string, outcome: CallResult, seconds: number): void;
  /** An attempt is over. */
  attempt(pipeline: string, result: AttemptResult): void;
  /** A call or an attempt was refused. */
  rejection(pipeline: string, reason: RejectionCode): void;
  /** A fallback answered, or did not help. */
  fallback(pipeline: string, kind: FallbackKind, outcome: 'used' | 'failed'): void;
  /** Figures that are read when somebody asks for them. */
  readFrom(snapshots: () => readonly PipelineSnapshot[]): void;
}

/** Bounds of the buckets for the time of a call, in seconds: from what memory answers to the longest time limits. */
export const callSecondsBounds: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Every state that a circuit can be shown in. An operator's word stands before the breaker's own. */
export const circuitStates = ['closed', 'ramping', 'open', 'half-open', 'forced-open', 'forced-closed', 'disabled'] as const satisfies readonly (BreakerStateName | BreakerMode)[];

/** One of {@link circuitStates}. */
export type CircuitState = (typeof circuitStates)[number];

/** How a circuit is shown. */
export function circuitStateOf({ mode, state }: NonNullable<PipelineSnapshot['breaker']>): CircuitState {
  return mode === 'auto' ? state : mode;
}

/** How much is shed by the pipeline that sheds most; 0 when none does. */
export function shedLevelOf(snapshots: readonly PipelineSnapshot[]): number {
  return Math.max(0, ...snapshots.map(({ shed }) => shed?.level ?? 0));
}

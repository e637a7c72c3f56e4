import type { LoadPhase } from './generator/load-phase.ts';
import type { PhaseResult } from './generator/open-load.ts';
import type { ServiceSamples } from './measure/service-samples.ts';
import type { Judged } from './measure/threshold.ts';
import type { Capacity } from './breakpoint.ts';

/** Dependencies of a profile. */
export interface LoadContext {
  /** Runs a phase to its last answer. */
  readonly run: (phase: LoadPhase) => Promise<PhaseResult>;
  readonly samples: ServiceSamples;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/** Findings of a profile, beside the counts of the phases. */
export interface ProfileFindings {
  readonly judged: readonly Judged[];
  readonly capacities?: readonly Capacity[];
}

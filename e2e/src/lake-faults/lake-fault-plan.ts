import { pick, seededRandom } from '@millrace/testing';
import { shuffledKinds } from '../proof/shuffled-kinds.ts';

/** Every kind of fault of the proof. */
export const lakeFaultKinds = [
  'killed',
  'frozen',
  'frozen-past-grace',
  's3-500',
  's3-500-applied',
  's3-409',
  's3-403',
  's3-hangs',
  's3-drops-applied',
  's3-twice',
  's3-late',
  's3-late-of-dead',
  'glue-down',
  'glue-drops-applied',
  'glue-late',
] as const;
export type LakeFaultKind = (typeof lakeFaultKinds)[number];

/** Calls of a projector, by the step that makes them. */
export const lakeSteps = ['read', 'manifest', 'metadata', 'commit', 'hint', 'merged-file', 'marks', 'delete', 'glue'] as const;
export type LakeStep = (typeof lakeSteps)[number];

const writes: readonly LakeStep[] = ['manifest', 'metadata', 'commit', 'hint', 'merged-file', 'marks', 'delete'];
const stepsOf: Readonly<Record<LakeFaultKind, readonly LakeStep[]>> = {
  killed: [...writes, 'glue'],
  frozen: [...writes, 'glue'],
  // Not the hint. It has no condition, so a writer that is frozen there for longer than the grace period names deleted metadata.
  'frozen-past-grace': ['manifest', 'metadata', 'commit', 'merged-file', 'delete', 'glue'],
  's3-500': ['read', ...writes],
  's3-500-applied': writes,
  's3-409': ['commit'],
  's3-403': ['read', ...writes],
  's3-hangs': ['read', ...writes],
  's3-drops-applied': writes,
  's3-twice': writes,
  's3-late': writes,
  's3-late-of-dead': writes,
  'glue-down': ['glue'],
  'glue-drops-applied': ['glue'],
  'glue-late': ['glue'],
};

/** One fault as planned: everything about it that chance decides. */
export interface PlannedLakeFault {
  readonly kind: LakeFaultKind;
  /** Projector that the fault affects. */
  readonly projector: number;
  /** The call that must be in flight. */
  readonly step: LakeStep;
  /** Whether that call has been applied when the fault strikes, or has not reached its store. */
  readonly applied: boolean;
  /** Quiet time before it, in milliseconds. */
  readonly pauseMs: number;
  /** Time for which a process stays dead or frozen, or a call is late, in milliseconds. */
  readonly downMs: number;
}

/** Input of a plan. */
export interface LakePlanOptions {
  readonly faults: number;
  readonly seed: number;
  readonly projectors: number;
}

/** The same options give the same faults in the same order. The numbers of the kinds differ by at most one. */
export function planLakeFaults({ faults, seed, projectors }: LakePlanOptions): PlannedLakeFault[] {
  const random = seededRandom(seed);
  return shuffledKinds(lakeFaultKinds, faults, random).map((kind, n) => ({
    kind,
    // In turn, so that both projectors get equally many faults at the same time.
    projector: n % projectors,
    step: pick(stepsOf[kind], random),
    applied: random() < 0.5,
    pauseMs: Math.floor(random() * 300),
    downMs: Math.floor(random() * 1500),
  }));
}

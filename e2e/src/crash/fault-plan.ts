import { pick, seededRandom } from '@millrace/testing';
import { shuffledKinds } from '../proof/shuffled-kinds.ts';

/** Every kind of fault of the matrix. */
export const faultKinds = [
  'sink-killed',
  'sink-frozen',
  's3-500',
  's3-500-applied',
  's3-200-error',
  's3-409',
  's3-403',
  's3-hangs',
  's3-drops-applied',
  's3-late-put',
  'staged-deleted',
  'kafka-killed',
  'disk-full',
  'glue-down',
] as const;
export type CrashFaultKind = (typeof faultKinds)[number];

/** Calls of the sink to S3, by the step of the pipeline that makes them. */
export const s3Steps = ['stage', 'record', 'look', 'publish'] as const;
export type S3Step = (typeof s3Steps)[number];

// S3 errs inside a 200 only for CopyObject, and refuses with 409 only a conditional write; a late PUT must be a PUT.
const stepsOf: Readonly<Partial<Record<CrashFaultKind, readonly S3Step[]>>> = {
  's3-200-error': ['publish'],
  's3-409': ['record'],
  's3-late-put': ['stage', 'record', 'publish'],
  's3-500-applied': ['stage', 'record', 'publish'],
  's3-drops-applied': ['stage', 'record', 'publish'],
  'staged-deleted': ['publish'],
};

/** One fault as planned: everything about it that chance decides. */
export interface PlannedFault {
  readonly kind: CrashFaultKind;
  /** Sink that the fault affects. */
  readonly sink: number;
  /** The call that must be in flight. */
  readonly step: S3Step;
  /** Whether that call has been applied when the fault strikes, or has not reached S3. */
  readonly applied: boolean;
  /** Quiet time before it, in milliseconds. */
  readonly pauseMs: number;
  /** Time for which a process stays dead or a part stays down, in milliseconds. */
  readonly downMs: number;
}

/** Input of a plan. */
export interface PlanOptions {
  readonly faults: number;
  readonly seed: number;
  readonly sinks: number;
  /** In any order. Default all. */
  readonly kinds?: readonly CrashFaultKind[];
}

/** The same options give the same faults in the same order. The numbers of the kinds differ by at most one. */
export function planFaults({ faults, seed, sinks, kinds = faultKinds }: PlanOptions): PlannedFault[] {
  const random = seededRandom(seed);
  const among = faultKinds.filter((kind) => kinds.includes(kind));
  return shuffledKinds(among, faults, random).map((kind) => ({
    kind,
    sink: Math.floor(random() * sinks),
    step: pick(stepsOf[kind] ?? s3Steps, random),
    applied: random() < 0.5,
    pauseMs: Math.floor(random() * 400),
    downMs: Math.floor(random() * 1500),
  }));
}

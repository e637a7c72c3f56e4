import fc from 'fast-check';
import type { ReadFault, WriteFault } from '../../../simulation/parts/simulated-store.ts';

/** One step of a schedule. `who` is the projector on one of two machines, or 2 for both; `lane` is one of two lanes. */
export type Step =
  /** A sink publishes the head of a lane, and records a batch with files of so many days, which it leaves staged. */
  | { readonly do: 'record'; readonly lane: number; readonly days: number }
  /** A sink publishes the head of a lane. */
  | { readonly do: 'publish'; readonly lane: number }
  /** A projector begins a round, unless one is in progress. */
  | { readonly do: 'round'; readonly who: number }
  /** A projector begins a pass of compaction, unless one is in progress. */
  | { readonly do: 'compact'; readonly who: number }
  /** A projector begins a sweep, unless one is in progress. */
  | { readonly do: 'sweep'; readonly who: number }
  /** An operator begins to make the table anew, on the machine of a projector. */
  | { readonly do: 'rebuild'; readonly who: number }
  /**
   * A projector freezes after a few calls of its work. Meanwhile the other one makes commits, and sweeps before and after the grace period.
   * Then the first one wakes up.
   */
  | { readonly do: 'freeze'; readonly who: number; readonly work: 'round' | 'pass'; readonly after: number; readonly commits: number }
  /** The commit of a merge fails, and is applied after the projector has given it up. */
  | { readonly do: 'late-merge'; readonly who: number }
  /** Time passes, also for a projector in the middle of a call. */
  | { readonly do: 'age'; readonly ms: number }
  | { readonly do: 'wait'; readonly turns: number }
  /** A projector dies within a few effects, and a successor starts. */
  | { readonly do: 'crash'; readonly who: number; readonly after: number }
  | { readonly do: 'fault'; readonly fault: WriteFault; readonly writes: number }
  /** The next PUT of a commit fails. */
  | { readonly do: 'commit-fault'; readonly fault: WriteFault }
  | { readonly do: 'read-faults'; readonly faults: readonly ReadFault[] }
  | { readonly do: 'pointer-faults'; readonly faults: readonly WriteFault[] }
  /** A delayed write to the store takes effect. */
  | { readonly do: 'arrive'; readonly which: number }
  /** A delayed move of the pointer takes effect. */
  | { readonly do: 'pointer-arrive' }
  /** Another writer commits through the catalog. */
  | { readonly do: 'foreign' };

/** A whole run: two lanes, two projectors, one bucket, one catalog. */
export interface ProjectionSchedule {
  readonly steps: readonly Step[];
  /** Turns that each call waits, used in turn. */
  readonly paces: readonly number[];
  /** Files of a lane that one commit adds. */
  readonly filesPerLaneMax: number;
}

const who = fc.nat(1);
const oneOrBoth = fc.nat(2);
const lane = fc.nat(1);
const fault = fc.constantFrom<WriteFault>('refused', 'answer-lost', 'applied-later', 'applied-later', 'applied-twice', 'conflict');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('record' as const), lane, days: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('publish' as const), lane }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('round' as const), who: oneOrBoth }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('compact' as const), who: oneOrBoth }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sweep' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rebuild' as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('freeze' as const),
      who,
      work: fc.constantFrom('round', 'pass'),
      after: fc.integer({ min: 4, max: 24 }),
      commits: fc.nat(3),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('late-merge' as const), who }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('age' as const), ms: fc.constantFrom(300, 1000, 3000) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 120 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('crash' as const), who, after: fc.nat(25) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('fault' as const), fault, writes: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit-fault' as const), fault }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read-faults' as const),
      faults: fc.array(fc.constantFrom<ReadFault>('none', 'late', 'failed'), { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pointer-faults' as const), faults: fc.array(fault, { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('arrive' as const), which: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'pointer-arrive' as const }) },
);

/** Generates schedules. One in eight has a foreign writer. */
export const projectionSchedules: fc.Arbitrary<ProjectionSchedule> = fc.record({
  steps: fc
    .tuple(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), fc.nat(7), fc.nat(59))
    .map(([steps, foreign, at]) => (foreign === 0 ? steps.toSpliced(at % steps.length, 0, { do: 'foreign' }) : steps)),
  paces: fc.array(fc.nat(2), { minLength: 8, maxLength: 32, size: 'max' }),
  filesPerLaneMax: fc.constantFrom(1, 4, 500),
});

import fc from 'fast-check';
import type { ReadFault, WriteFault } from './parts/simulated-store.ts';

/** One step of a schedule. `who` is the writer on one of two machines. */
export type Step =
  | { readonly do: 'append'; readonly events: readonly number[] }
  | { readonly do: 'skip' }
  | { readonly do: 'fetch'; readonly who: number; readonly count: number }
  | { readonly do: 'flush'; readonly who: number }
  | { readonly do: 'wait'; readonly turns: number }
  /** With `lateDeath` the next writer learns only later that it may adopt the batches on the disk. */
  | { readonly do: 'crash'; readonly who: number; readonly after: number; readonly loseDisk: boolean; readonly lateDeath: boolean }
  | { readonly do: 'rejoin'; readonly who: number }
  /** The group takes the partition from a writer and gives it back. */
  | { readonly do: 'reassign'; readonly who: number }
  /** The group takes the partition from a writer. */
  | { readonly do: 'lose'; readonly who: number }
  /** A writer looks for batches of dead writers, and publishes its recorded batches of a partition that it no longer has. */
  | { readonly do: 'finish'; readonly who: number }
  /** A machine's disk refuses the next `writes` writes with ENOSPC. */
  | { readonly do: 'fill-disk'; readonly who: number; readonly writes: number }
  /** Somebody deletes the batches that a machine has on its disk and has not encoded. */
  | { readonly do: 'sweep'; readonly who: number }
  | { readonly do: 'fault'; readonly fault: WriteFault; readonly writes: number }
  /** Outcomes of the next reads. */
  | { readonly do: 'read-faults'; readonly faults: readonly ReadFault[] }
  | { readonly do: 'arrive'; readonly which: number }
  | { readonly do: 'retain'; readonly count: number }
  | { readonly do: 'recreate'; readonly events: readonly number[] }
  /** Audits the table while the writers keep running. */
  | { readonly do: 'audit' };

/** Damage to the table by hand after the end of the schedule. The audit must detect it. */
export interface PlantedFault {
  readonly what: 'file-deleted' | 'row-deleted' | 'file-doubled' | 'entry-deleted';
  /** Index of the file or entry, modulo their number. */
  readonly which: number;
}

/** A whole run: two machines, one log, one bucket. */
export interface Schedule {
  readonly steps: readonly Step[];
  /** Raw bytes at which each writer seals: their cuts differ. */
  readonly flushBytes: readonly [number, number];
  /** Bytes that each writer may have on disk: when they are full its partition pauses. */
  readonly spoolBytes: readonly [number, number];
  /** Length of the deduplication window in offsets. */
  readonly window: number;
  readonly entriesPerCheckpoint: number;
  readonly planted: PlantedFault;
}

const who = fc.nat(1);
// Few different events, so that they are repeated; every eighth record is garbage.
const events = fc.array(fc.nat(7), { minLength: 1, maxLength: 4 });
const fault = fc.constantFrom<WriteFault>('refused', 'answer-lost', 'applied-later', 'applied-later', 'applied-twice', 'conflict');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), events }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('fetch' as const), who, count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('flush' as const), who }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('crash' as const), who, after: fc.nat(6), loseDisk: fc.boolean(), lateDeath: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rejoin' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reassign' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill-disk' as const), who, writes: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('audit' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('fault' as const), fault, writes: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read-faults' as const),
      faults: fc.array(fc.constantFrom<ReadFault>('none', 'late', 'failed'), { minLength: 1, maxLength: 12, size: 'max' }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('arrive' as const), which: fc.nat(3) }) },
);

const retaining = fc.oneof(
  { weight: 12, arbitrary: step },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retain' as const), count: fc.integer({ min: 1, max: 4 }) }) },
);
// A log without its beginning looks like a new one, so a schedule has retention or a recreated topic, not both.
const recreating = fc.oneof(
  { weight: 40, arbitrary: step },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const), events: fc.array(fc.nat(7), { maxLength: 12 }) }) },
);

/** Generates schedules. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  steps: fc.oneof(
    { weight: 3, arbitrary: fc.array(retaining, { minLength: 8, maxLength: 60, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(recreating, { minLength: 8, maxLength: 60, size: 'max' }) },
  ),
  flushBytes: fc.tuple(fc.constantFrom(1, 600, 1e9), fc.constantFrom(1, 900, 1e9)),
  // A purchase is some 300 bytes.
  spoolBytes: fc.tuple(fc.constantFrom(500, 1500, 1e9), fc.constantFrom(500, 1e9, 1e9)),
  window: fc.constantFrom(0, 2, 5, 1000),
  entriesPerCheckpoint: fc.constantFrom(2, 1000),
  planted: fc.record({
    what: fc.constantFrom('file-deleted' as const, 'row-deleted' as const, 'file-doubled' as const, 'entry-deleted' as const),
    which: fc.nat(20),
  }),
});

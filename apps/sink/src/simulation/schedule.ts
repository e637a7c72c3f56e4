import fc from 'fast-check';
import type { WriteFault } from './simulated-store.ts';

/** One thing that happens. `who` is the writer on one of two machines. */
export type Step =
  | { readonly do: 'append'; readonly events: readonly number[] }
  | { readonly do: 'skip' }
  | { readonly do: 'fetch'; readonly who: number; readonly count: number }
  | { readonly do: 'flush'; readonly who: number }
  | { readonly do: 'wait'; readonly turns: number }
  | { readonly do: 'crash'; readonly who: number; readonly after: number; readonly loseDisk: boolean }
  | { readonly do: 'rejoin'; readonly who: number }
  | { readonly do: 'reassign'; readonly who: number }
  | { readonly do: 'fault'; readonly fault: WriteFault; readonly writes: number }
  | { readonly do: 'unreadable'; readonly reads: number }
  | { readonly do: 'arrive'; readonly which: number }
  | { readonly do: 'retain'; readonly count: number }
  | { readonly do: 'recreate'; readonly events: readonly number[] };

/** A whole run: two machines, one log, one bucket. */
export interface Schedule {
  readonly steps: readonly Step[];
  /** Raw bytes at which each writer seals: their cuts differ. */
  readonly flushBytes: readonly [number, number];
  /** Length of the deduplication window in offsets. */
  readonly window: number;
}

const who = fc.nat(1);
// Few events, so that they come again; every eighth record is garbage.
const events = fc.array(fc.nat(7), { minLength: 1, maxLength: 4 });
const fault = fc.constantFrom<WriteFault>('refused', 'answer-lost', 'applied-later', 'applied-later', 'applied-twice', 'conflict');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), events }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('fetch' as const), who, count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('flush' as const), who }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('crash' as const), who, after: fc.nat(6), loseDisk: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rejoin' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reassign' as const), who }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('fault' as const), fault, writes: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unreadable' as const), reads: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('arrive' as const), which: fc.nat(3) }) },
);

const retaining = fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: fc.record({ do: fc.constant('retain' as const), count: fc.integer({ min: 1, max: 4 }) }) });
// A log that has lost its beginning cannot be told from a new one, so a schedule has retention or a recreated topic, not both.
const recreating = fc.oneof({ weight: 40, arbitrary: step }, { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const), events: fc.array(fc.nat(7), { maxLength: 12 }) }) });

/** Every schedule there is. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  steps: fc.oneof(
    { weight: 3, arbitrary: fc.array(retaining, { minLength: 8, maxLength: 60, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(recreating, { minLength: 8, maxLength: 60, size: 'max' }) },
  ),
  flushBytes: fc.tuple(fc.constantFrom(1, 600, 1e9), fc.constantFrom(1, 900, 1e9)),
  window: fc.constantFrom(0, 2, 5, 1000),
});

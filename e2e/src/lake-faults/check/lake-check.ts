import { setTimeout as pause } from 'node:timers/promises';
import type { BaseCopy } from '../readers/base-copy.ts';
import type { LakeReaders } from '../readers/lake-readers.ts';
import type { FailedRead } from '../readers/reader-loop.ts';
import type { ReadDay, TableRead } from '../readers/table-reads.ts';
import { add, compareDays, doubledIn, isExact, type Difference } from './compare-days.ts';

/** Outcome of one read of a table at rest. */
export interface ReaderVerdict {
  readonly difference?: Difference;
  /** Message of a read that failed. */
  readonly failure?: string;
}

/** Comparison of every reader with the base, while nothing is written. */
export type ReaderVerdicts = Readonly<Record<string, ReaderVerdict>>;

/** Answers that readers gave while faults struck. */
export interface AnswersUnderFaults {
  /** Answers by reader. */
  readonly answers: Readonly<Record<string, number>>;
  /** Answers that name their offsets, and were compared with the base below these. */
  readonly compared: number;
  readonly difference: Difference;
  readonly failures: readonly FailedRead[];
}

const settleMsMax = 90_000;

/** Compares the readers of the Iceberg table with the base. */
export class LakeCheck {
  readonly #base: BaseCopy;
  readonly #readers: LakeReaders;

  constructor(base: BaseCopy, readers: LakeReaders) {
    this.#base = base;
    this.#readers = readers;
  }

  /** Reads the table once by each reader. */
  async verdicts(): Promise<ReaderVerdicts> {
    await this.#base.refresh();
    const base = await this.#base.sums();
    const verdicts: Record<string, ReaderVerdict> = {};
    for (const [name, read] of Object.entries(this.#readers.all)) verdicts[name] = await verdictOf(base, read);
    return verdicts;
  }

  /** Whether the table agrees with the base up to its position, by DuckDB. Batches may land meanwhile. */
  async isExactNow(): Promise<boolean> {
    const { offsets, days } = await this.#readers.all['DuckDB by catalog']!();
    await this.#base.refresh();
    return offsets !== undefined && isExact(compareDays(await this.#base.sums(offsets), days));
  }

  /** As {@link verdicts}, once the table holds every landed row. After a time limit, the last verdicts are returned. */
  async settledVerdicts(): Promise<ReaderVerdicts> {
    const late = performance.now() + settleMsMax;
    for (;;) {
      const verdicts = await this.verdicts();
      const differences = Object.values(verdicts).map(({ difference }) => difference);
      const isLate = differences.every((one) => one !== undefined && one.doubled + one.altered === 0) && !allExact(verdicts);
      if (!isLate || performance.now() > late) return verdicts;
      await pause(500);
    }
  }

  /** Takes the answers of the loops, and compares each with the base below the offsets that it names. */
  async answersUnderFaults(): Promise<AnswersUnderFaults> {
    const answers: Record<string, number> = {};
    const failures: FailedRead[] = [];
    let difference: Difference = { lost: 0, doubled: 0, altered: 0 };
    let compared = 0;
    for (const loop of this.#readers.loops) {
      const taken = loop.take();
      answers[loop.name] = taken.answers.length;
      failures.push(...taken.failures);
      for (const { offsets, days } of taken.answers) {
        compared += offsets === undefined ? 0 : 1;
        difference = add(difference, await this.#judge({ ...(offsets === undefined ? {} : { offsets }), days }));
      }
    }
    return { answers, compared, difference, failures };
  }

  async #judge({ offsets, days }: TableRead): Promise<Difference> {
    if (offsets === undefined) return { lost: 0, doubled: doubledIn(days), altered: 0 };
    return compareDays(await this.#base.sums(offsets), days);
  }
}

async function verdictOf(base: readonly ReadDay[], read: () => Promise<TableRead>): Promise<ReaderVerdict> {
  try {
    return { difference: compareDays(base, (await read()).days) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether each reader agrees with the base. */
export function allExact(verdicts: ReaderVerdicts): boolean {
  return Object.values(verdicts).every(({ difference }) => difference !== undefined && isExact(difference));
}

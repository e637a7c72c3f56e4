import type { ReadDay } from '../readers/table-reads.ts';

/** Rows that an answer lacks or has too often, and days with other values. */
export interface Difference {
  readonly lost: number;
  readonly doubled: number;
  /** Days with the right number of rows and places, and other sums. */
  readonly altered: number;
}

const none: Difference = { lost: 0, doubled: 0, altered: 0 };

/** Compares an answer with the sums of the base. A sum that a reader does not compute is not compared. */
export function compareDays(expected: readonly ReadDay[], answered: readonly ReadDay[]): Difference {
  const [base, read] = [byDay(expected), byDay(answered)];
  return [...new Set([...base.keys(), ...read.keys()])].reduce((sum, dt) => add(sum, compareDay(base.get(dt), read.get(dt))), none);
}

/** Finds rows that an answer has several times, without any knowledge of the base. */
export function doubledIn(days: readonly ReadDay[]): number {
  return days.reduce((sum, { rows, places }) => sum + Number(rows) - Number(places), 0);
}

/** Whether nothing differs. */
export function isExact({ lost, doubled, altered }: Difference): boolean {
  return lost + doubled + altered === 0;
}

/** Adds two differences. */
export function add(a: Difference, b: Difference): Difference {
  return { lost: a.lost + b.lost, doubled: a.doubled + b.doubled, altered: a.altered + b.altered };
}

function byDay(days: readonly ReadDay[]): Map<string, ReadDay> {
  return new Map(days.map((day) => [day.dt, day]));
}

function compareDay(base: ReadDay | undefined, read: ReadDay | undefined): Difference {
  const [basePlaces, places, rows] = [Number(base?.places ?? 0), Number(read?.places ?? 0), Number(read?.rows ?? 0)];
  // Rows at places that the base does not have count as doubled.
  const lost = Math.max(0, basePlaces - places);
  const doubled = rows - places + Math.max(0, places - basePlaces);
  if (base === undefined || read === undefined || lost + doubled > 0) return { lost, doubled, altered: 0 };
  const isSame = base.ages === read.ages && (read.hash === undefined || base.hash === read.hash);
  return { ...none, altered: isSame ? 0 : 1 };
}

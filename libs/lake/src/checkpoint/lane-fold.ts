import { createHash } from 'node:crypto';
import { accountOf, chainStart, faultsOf, type ChainEnd } from '../chain.ts';
import { filesOf, type LedgerEntry } from '../entry.ts';
import { LakeError } from '../errors.ts';

/** Totals of one value of the partition key over the entries of a lane. */
export interface DayTotals {
  readonly rows: number;
  readonly files: number;
  /** Bytes of Parquet. */
  readonly bytes: number;
  /** Earliest and latest event, in epoch seconds. */
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
}

/** Totals of the entries of a lane from offset 0. Offsets and rows are counts; bytes are bytes. */
export interface LaneTotals {
  /** Number of entries. */
  readonly entries: number;
  /** The end of the last entry, and its id; 0 and null before the first. */
  readonly to: number;
  readonly id: string | null;
  readonly rows: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly absent: number;
  /** Offsets in gap entries. */
  readonly gap: number;
  /** Parquet files, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Every file named, reject files included. */
  readonly named: FileSum;
  /** By value of the partition key. */
  readonly days: Readonly<Record<string, DayTotals>>;
}

/** Fingerprint of a set of objects: equal sums mean equal sets of keys and sizes. */
export interface FileSum {
  readonly count: number;
  /** Sum of a hash of each key and size, modulo 2^64, as 16 hex digits. Being a sum, it can be added and subtracted. */
  readonly hash: string;
}

/** The sum of no object. */
export const noFiles: FileSum = { count: 0, hash: '0'.repeat(16) };

const modulus = 2n ** 64n;

/** Adds an object to a sum. */
export function withFile(sum: FileSum, key: string, bytes: number): FileSum {
  const hash = createHash('sha256').update(`${key} ${bytes}`).digest().readBigUInt64BE(0);
  return { count: sum.count + 1, hash: hex(BigInt(`0x${sum.hash}`) + hash) };
}

/** The files of `all` that are not in `part`, which must be a subset. */
export function withoutFiles(all: FileSum, part: FileSum): FileSum {
  return { count: all.count - part.count, hash: hex(BigInt(`0x${all.hash}`) - BigInt(`0x${part.hash}`)) };
}

/** The files of both sums, which must be disjoint. */
export function withFiles(one: FileSum, other: FileSum): FileSum {
  return { count: one.count + other.count, hash: hex(BigInt(`0x${one.hash}`) + BigInt(`0x${other.hash}`)) };
}

function hex(value: bigint): string {
  return (((value % modulus) + modulus) % modulus).toString(16).padStart(16, '0');
}

/** Totals before the first entry. */
export const noTotals: LaneTotals = {
  entries: 0,
  to: chainStart.to,
  id: chainStart.id,
  rows: 0,
  rejected: 0,
  dropped: 0,
  absent: 0,
  gap: 0,
  files: 0,
  bytes: 0,
  named: noFiles,
  days: {},
};

/** Sums entries in order. */
export class LaneFold {
  #totals: Omit<LaneTotals, 'days'>;
  readonly #days: Map<string, DayTotals>;

  constructor({ days, ...totals }: LaneTotals = noTotals) {
    this.#totals = totals;
    this.#days = new Map(Object.entries(days));
  }

  /** The offset at which the next entry must start, and the id that it must name. */
  get end(): ChainEnd {
    return { to: this.#totals.to, id: this.#totals.id };
  }

  get totals(): LaneTotals {
    return { ...this.#totals, days: Object.fromEntries([...this.#days].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
  }

  /**
   * Adds the next entry.
   *
   * @throws LakeError `bad-entry` when it does not extend the chain
   */
  add(entry: LedgerEntry): void {
    const faults = faultsOf(entry, this.end);
    if (faults.length > 0) throw new LakeError('bad-entry', `the entry at offset ${entry.from} ${faults.join('; ')}`);
    this.addUnchecked(entry);
  }

  /** Adds an entry in spite of its faults, so that a count can continue after a fault. */
  addUnchecked(entry: LedgerEntry): void {
    const { rows, rejected, dropped, absent, gap } = accountOf(entry);
    const before = this.#totals;
    let named = before.named;
    for (const { key, bytes } of filesOf(entry)) named = withFile(named, key, bytes);
    this.#totals = {
      entries: before.entries + 1,
      to: entry.to,
      id: entry.id,
      rows: before.rows + rows,
      rejected: before.rejected + rejected,
      dropped: before.dropped + dropped,
      absent: before.absent + absent,
      gap: before.gap + gap,
      files: before.files + entry.files.length,
      bytes: before.bytes + entry.files.reduce((sum, file) => sum + file.bytes, 0),
      named,
    };
    for (const file of entry.files) {
      const day = this.#days.get(file.dt);
      this.#days.set(file.dt, {
        rows: (day?.rows ?? 0) + file.rows,
        files: (day?.files ?? 0) + 1,
        bytes: (day?.bytes ?? 0) + file.bytes,
        minTimestamp: Math.min(day?.minTimestamp ?? file.minTimestamp, file.minTimestamp),
        maxTimestamp: Math.max(day?.maxTimestamp ?? file.maxTimestamp, file.maxTimestamp),
      });
    }
  }
}

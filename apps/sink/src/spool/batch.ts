import type { LedgerEntry, ObjectBody } from '@millrace/lake';
import type { BatchFiles } from './spool.ts';

/** The rows of one value of the partition key inside a batch, as lines of JSON on disk. */
export interface Segment {
  readonly dt: string;
  /** File of the batch that holds the lines. */
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** CRC-32 of the lines, as they were appended. */
  readonly crc32: number;
  /** Smallest and largest event time, in epoch seconds. */
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
}

/** A batch whose offsets, id and predecessor never change again. */
export interface SealedBatch {
  readonly id: string;
  readonly prev: string | null;
  readonly from: number;
  readonly to: number;
  readonly segments: readonly Segment[];
  readonly rejects: { readonly file: string; readonly count: number; readonly bytes: number; readonly crc32: number } | undefined;
  readonly dropped: readonly [number, number][];
  readonly rejected: readonly [number, number][];
  readonly absent: readonly [number, number][];
  readonly last: LedgerEntry['last'];
  /** When its first record was taken, in milliseconds since the epoch. */
  readonly takenAt: number;
  readonly files: BatchFiles;
  /** Raw bytes on disk. */
  readonly bytes: number;
}

/** A file of the batch that goes to a staging key. */
export interface StagedBody {
  readonly staged: string;
  /** Its name in the batch's directory. */
  readonly file: string;
  readonly body: ObjectBody;
  readonly bytes: number;
  readonly sha256: string;
}

/** A batch with its Parquet files and its entry; every retry of every later step sends these same bytes. */
export interface EncodedBatch {
  readonly entry: LedgerEntry;
  readonly bodies: readonly StagedBody[];
  /** When its first record was taken, in milliseconds since the epoch, by the clock of the process that took it. */
  readonly takenAt: number;
  readonly files: BatchFiles;
  /** Bytes on disk. */
  readonly bytes: number;
}

import type { LakeObjects } from '../lake/open-lake.ts';
import { listRejectFiles, readRejectFiles, type RejectedRecord, type RejectFileName } from './reject-files.ts';

/** Clocks of Kafka and S3 differ by less, in milliseconds: a record is older than the file that holds it. */
const clockSkewMs = 600_000;
/** Bytes of files that are read concurrently. */
const bytesAtOnceMax = 8 * 1024 * 1024;

/** A place in the order of {@link recentRejects}. */
export interface RejectPlace {
  readonly landedAtMs: number;
  readonly partition: number;
  readonly offset: number;
}

/** Options of {@link recentRejects}. */
export interface RecentRejectsOptions {
  readonly signal: AbortSignal;
  /** Only the rejects of this partition. Default: of every partition. */
  readonly partition?: number | undefined;
  /** Only rejects with exactly this reason are listed. `seen` gets all of them. */
  readonly reason?: string | undefined;
  /** Only rejects that Kafka received at this time or later, in epoch milliseconds. */
  readonly fromMs?: number | undefined;
  /** Only rejects that Kafka received at this time or earlier, in epoch milliseconds. */
  readonly toMs?: number | undefined;
  /** Only rejects after this place. The call then stops at `limit`. */
  readonly after?: RejectPlace | undefined;
  /** Maximum number of rejects that are listed, ≥ 1. */
  readonly limit: number;
  /** Maximum number of files that are read, ≥ 1. */
  readonly filesMax: number;
  /** Maximum bytes of files that are read. One file is read whatever its size. */
  readonly bytesMax: number;
  /** Receives each reject in the time range that was read, whatever its reason. */
  readonly onSeen?: (record: RejectedRecord) => void;
}

/** A listed reject. */
export interface RecentReject {
  readonly record: RejectedRecord;
  readonly landedAtMs: number;
}

/** Result of {@link recentRejects}. */
export interface RecentRejects {
  readonly filesTotal: number;
  /** Files that were read, and those that are too old for `fromMs`. */
  readonly filesRead: number;
  readonly rejects: readonly RecentReject[];
  /** Place after which the next call continues. Absent: there are no more. */
  readonly next?: RejectPlace;
}

/**
 * Lists the newest rejects of a table: those of the file that landed last come first, and within a file the highest offset. It reads files
 * until a limit. Only the LISTs depend on the age of the table: one for a thousand files.
 */
export async function recentRejects(lake: LakeObjects, options: RecentRejectsOptions): Promise<RecentRejects> {
  const { signal, partition, fromMs = 0, after, filesMax, bytesMax } = options;
  const all = (await listRejectFiles(lake, signal, partition)).toSorted(byLanding);
  const begin = after === undefined ? 0 : all.findIndex((file) => !isBefore(file, after));
  const young = all.slice(begin === -1 ? all.length : begin).filter(({ landedAtMs }) => landedAtMs >= fromMs - clockSkewMs);
  const chosen = withinLimits(young, filesMax, bytesMax);
  const page = new Page(options);
  let read = 0;
  for (const part of partsOf(chosen)) {
    for await (const { file, records } of readRejectFiles(lake, part, signal)) {
      page.add(file, records);
      read += 1;
    }
    if (after !== undefined && page.isFull) break;
  }
  const old = all.length - young.length - Math.max(0, begin);
  const last = chosen[read - 1];
  const next = page.isFull
    ? page.end
    : read < young.length && last !== undefined
      ? { landedAtMs: last.landedAtMs, partition: last.lane.partition, offset: last.from }
      : undefined;
  return {
    filesTotal: all.length,
    filesRead: Math.max(0, begin) + read + old,
    rejects: page.rejects,
    ...(next === undefined ? {} : { next }),
  };
}

class Page {
  readonly rejects: RecentReject[] = [];
  /** Whether a reject was left out. */
  isFull = false;
  readonly #options: RecentRejectsOptions;

  constructor(options: RecentRejectsOptions) {
    this.#options = options;
  }

  /** Place of the last listed reject. */
  get end(): RejectPlace {
    const { record, landedAtMs } = this.rejects.at(-1)!;
    return { landedAtMs, partition: record.partition, offset: record.offset };
  }

  add({ landedAtMs, lane, from }: RejectFileName, records: readonly RejectedRecord[]): void {
    const { fromMs = 0, toMs = Number.POSITIVE_INFINITY, reason, after, limit, onSeen } = this.#options;
    const isBegun = after !== undefined && after.landedAtMs === landedAtMs && after.partition === lane.partition && after.offset >= from;
    for (const record of records.toReversed()) {
      const atMs = Number(record.timestamp);
      if (atMs < fromMs || atMs > toMs || (isBegun && record.offset >= after.offset)) continue;
      onSeen?.(record);
      if (reason !== undefined && record.reason !== reason) continue;
      if (this.rejects.length >= limit) this.isFull = true;
      else this.rejects.push({ record, landedAtMs });
    }
  }
}

function byLanding(a: RejectFileName, b: RejectFileName): number {
  return b.landedAtMs - a.landedAtMs || a.lane.partition - b.lane.partition || b.from - a.from;
}

/** Whether every reject of a file comes before a place. */
function isBefore({ landedAtMs, lane, from }: RejectFileName, place: RejectPlace): boolean {
  if (landedAtMs !== place.landedAtMs) return landedAtMs > place.landedAtMs;
  if (lane.partition !== place.partition) return lane.partition < place.partition;
  return from >= place.offset;
}

function withinLimits(files: readonly RejectFileName[], filesMax: number, bytesMax: number): readonly RejectFileName[] {
  let bytes = 0;
  const end = files.findIndex((file, n) => n >= filesMax || ((bytes += file.bytes) > bytesMax && n > 0));
  return end === -1 ? files : files.slice(0, end);
}

/** Groups of files that may be in memory together. */
function partsOf(files: readonly RejectFileName[]): RejectFileName[][] {
  const parts: RejectFileName[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    bytes += file.bytes;
    if (bytes > bytesAtOnceMax) {
      parts.push([]);
      bytes = file.bytes;
    }
    parts.at(-1)!.push(file);
  }
  return parts;
}

import { eventIdWindow } from '@millrace/contracts';

/** Offsets [low, high) that a partition holds. */
export interface LogRange {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** Offsets [from, to) of a partition. */
export interface SearchRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** Clocks of two instances differ by less than this in practice, in milliseconds. */
export const clockSlackMs = 1000;

/** Times at which the offsets of the topic are needed for {@link rangesAround}, in milliseconds since the epoch. */
export function timesAround(idTimeMs: number): readonly [earliest: number, likely: number, latest: number] {
  return [idTimeMs - eventIdWindow.beforeMs, idTimeMs - clockSlackMs, idTimeMs + eventIdWindow.afterMs];
}

/**
 * Returns the ranges in which to search an event whose id has a time, the likeliest first. They are right after that time, then everything
 * later, then the minute before. An outbox may hold an event for hours.
 *
 * @param offsets the first offset at each of {@link timesAround}, by partition; none where every record is older
 */
export function rangesAround(
  log: readonly LogRange[],
  [earliest, likely, latest]: readonly [ReadonlyMap<number, number>, ReadonlyMap<number, number>, ReadonlyMap<number, number>],
): readonly (readonly SearchRange[])[] {
  const between = (from: ReadonlyMap<number, number> | undefined, to: ReadonlyMap<number, number> | undefined): readonly SearchRange[] =>
    log.map(({ partition, low, high }) => ({
      partition,
      from: Math.max(low, from?.get(partition) ?? high),
      to: to?.get(partition) ?? high,
    }));
  return [between(likely, latest), between(latest, undefined), between(earliest, likely)];
}

/** The newest records of each partition: for an id without a time. */
export function newestRanges(log: readonly LogRange[], recordsMax: number): readonly (readonly SearchRange[])[] {
  const each = Math.ceil(recordsMax / Math.max(1, log.length));
  return [log.map(({ partition, low, high }) => ({ partition, from: Math.max(low, high - each), to: high }))];
}

/** Offsets behind a row in which the sink drops a repeated event, unless its settings say otherwise. */
export const dedupOffsets = 131_072;

/** The offsets before a record that the sink dropped: the row comes from one of them. */
export function rangesBefore(log: readonly LogRange[], partition: number, offset: number): readonly (readonly SearchRange[])[] {
  const low = log.find((range) => range.partition === partition)?.low ?? 0;
  return [[{ partition, from: Math.max(low, offset - dedupOffsets), to: offset }]];
}

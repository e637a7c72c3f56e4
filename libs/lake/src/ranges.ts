/** A contiguous range of offsets, [from, to). */
export type OffsetRange = readonly [from: number, to: number];

/** Returns the number of offsets in the ranges. */
export function offsetsIn(ranges: readonly OffsetRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + (to - from), 0);
}

/** Adds [from, to) at the end of an ascending list, joining it to the last range when they touch. */
export function appendRange(ranges: [number, number][], from: number, to: number): void {
  if (to <= from) return;
  const last = ranges.at(-1);
  if (last !== undefined && last[1] === from) last[1] = to;
  else ranges.push([from, to]);
}

/** Tells whether one of the ascending ranges holds the offset. */
export function rangesHold(ranges: readonly OffsetRange[], offset: number): boolean {
  return ranges.some(([from, to]) => offset >= from && offset < to);
}

import type { Flow } from '@millrace/contracts';
import { useEffect, useState } from 'preact/hooks';
import { sendForJson } from '../api/request.ts';
import { usePolled } from './polled.ts';

/** How often the processes are read. */
export const flowEveryMs = 2000;
/** Age up to which a page keeps every reading, in milliseconds. */
const wholeMs = 240_000;
/** Age up to which it keeps some, and their distance. An hour of readings would be too much memory. */
const thinnedMs = 1_800_000;
const thinnedEveryMs = 30_000;

/** The readings of the processes while the page was open, the newest last. */
export interface FlowReadings {
  readonly readings: readonly Flow[];
  readonly error: unknown;
  readonly refresh: () => void;
}

/** Reads every process now and every two seconds. */
export function useFlow(isPaused: boolean): FlowReadings {
  const [readings, setReadings] = useState<readonly Flow[]>([]);
  const { data, error, refresh } = usePolled(
    async (signal) => await sendForJson<Flow>('/v1/flow', { signal }),
    isPaused ? undefined : flowEveryMs,
  );
  useEffect(() => {
    if (data !== undefined) setReadings((before) => thinned([...before, data]));
  }, [data]);
  return { readings, error, refresh };
}

/** Leaves out old readings, so that a page that is open for hours keeps about 170. */
export function thinned(readings: readonly Flow[]): readonly Flow[] {
  const newestMs = Date.parse(readings.at(-1)?.at ?? '');
  let keptMs = Number.NEGATIVE_INFINITY;
  return readings.filter(({ at }) => {
    const atMs = Date.parse(at);
    const ageMs = newestMs - atMs;
    if (ageMs > thinnedMs || (ageMs > wholeMs && atMs - keptMs < thinnedEveryMs)) return false;
    keptMs = atMs;
    return true;
  });
}

/** The readings of the last milliseconds, 120 at most. The newest is among them. */
export function readingsWithin(readings: readonly Flow[], ms: number): readonly Flow[] {
  const newestMs = Date.parse(readings.at(-1)?.at ?? '');
  let keptMs = Number.POSITIVE_INFINITY;
  return readings
    .toReversed()
    .filter(({ at }) => {
      const atMs = Date.parse(at);
      if (newestMs - atMs > ms || keptMs - atMs < ms / 120) return false;
      keptMs = atMs;
      return true;
    })
    .toReversed();
}

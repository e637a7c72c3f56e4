import type { Flow } from '@millrace/contracts';
import { useEffect, useState } from 'preact/hooks';
import { sendForJson } from '../api/request.ts';
import { usePolled } from './polled.ts';

/** How often the processes are read. */
export const flowEveryMs = 2000;
/** Readings that a page keeps: four minutes. */
const readingsMax = 120;

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
    if (data !== undefined) setReadings((before) => [...before, data].slice(-readingsMax));
  }, [data]);
  return { readings, error, refresh };
}

import { sleep, type Clock } from '@millrace/resilience';

/** Latest time of the first audit: a fault from before the start must not wait for a whole interval. */
const firstMsMax = 60_000;

/**
 * Audits at an interval until it is stopped. The observer reports a failed audit, and the next audit runs as scheduled.
 *
 * @param everyMs milliseconds from the end of one audit to the start of the next; 0 disables the audits
 * @param random spreads the audits of several sinks: each interval is 0.8 to 1.2 times as long
 * @returns a function that stops the audits
 */
export function auditEvery(everyMs: number, audit: () => Promise<unknown>, clock: Clock, random: () => number): () => void {
  const stopping = new AbortController();
  const rounds = async (): Promise<void> => {
    for (let ms = Math.min(everyMs, firstMsMax); ; ms = everyMs) {
      await sleep(ms * (0.8 + 0.4 * random()), { clock, signal: stopping.signal });
      await audit().catch(() => undefined);
    }
  };
  if (everyMs > 0) rounds().catch(() => undefined);
  return () => stopping.abort(new Error('the sink stops'));
}

import { sleep, type Clock } from '@millrace/resilience';

/** The first audit is early: what is wrong since before the start shall not wait for a whole interval. */
const firstMsMax = 60_000;

/**
 * Audits at an interval, until it is stopped. An audit that fails is told by its observer, and the next one comes as if it had not.
 *
 * @param everyMs interval from the end of one to the start of the next, in milliseconds; 0 never
 * @param random spreads the audits of several sinks: each interval is 0.8 to 1.2 times as long
 * @returns stops it
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

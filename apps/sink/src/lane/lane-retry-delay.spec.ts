import { CircuitOpenError, type Clock } from '@millrace/resilience';
import { describe, expect, it } from 'vitest';
import { laneRetryDelay } from './lane-retry-delay.ts';

/** The delay of each wait: the clock fires at once and records the requested delay. */
async function waitsAfter(errors: readonly Error[]): Promise<number[]> {
  const waits: number[] = [];
  const clock: Clock = {
    now: () => 0,
    setTimeout: (run, ms) => {
      waits.push(ms);
      run();
      return 0;
    },
    clearTimeout: () => undefined,
  };
  const patience = laneRetryDelay({ baseMs: 200, waitMsMax: 10_000 }, clock, () => 0.5);
  for (const [attempt, error] of errors.entries()) await patience.wait(attempt, error, new AbortController().signal);
  return waits;
}

describe('laneRetryDelay', () => {
  it('the back-off grows with every failure', async () => {
    expect(await waitsAfter(Array.from({ length: 8 }, () => new Error('503')))).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it('the back-off lasts at most as long as the circuit names after a rejection, however many there were', async () => {
    const refused = new CircuitOpenError('s3', { retryAfterMs: 3000 });
    expect(await waitsAfter([refused, refused, refused])).toEqual([3500, 3500, 3500]);
    // The circuit is half-open, or admits a part of the calls.
    expect(await waitsAfter(Array.from({ length: 9 }, () => new CircuitOpenError('s3'))).then((waits) => waits.at(-1))).toBe(500);
  });
});

import { expect, it } from 'vitest';
import { Pacing, slowedOrFailed, type Paces } from './pace.ts';

const paces = (...tookMs: number[]): Paces => ({ tables: { tookMs, failures: [] } });
const times = (count: number, tookMs: number): number[] => Array.from({ length: count }, () => tookMs);

it.each([
  ['as ever', paces(10, 10), paces(10, 10, 10), []],
  ['slower, but soon', paces(10, 10), paces(1500, 1500, 1500), []],
  ['slow before as well', paces(1000, 1000), paces(3000, 3000), []],
  ['one of ten is late', paces(10), paces(...times(9, 10), 5000), []],
  [
    'two of ten are late',
    paces(10),
    paces(...times(8, 10), 5000, 5000),
    ['tables: 90 % of 10 answers came within 5000 ms, and not within 2000 ms.'],
  ],
  [
    'most are late',
    paces(700),
    paces(...times(3, 2101)),
    [
      'tables: 50 % of 3 answers came within 2101 ms, and not within 2100 ms.',
      'tables: 90 % of 3 answers came within 2101 ms, and not within 2100 ms.',
    ],
  ],
  ['one failed', paces(10), { tables: { tookMs: [10, 10], failures: [new Error('refused')] } }, ['tables: 1 of 2 failed: Error: refused']],
] as const)('slowedOrFailed reports the right calls: %s', (_what, usual, now, told) => {
  expect(slowedOrFailed(usual, now)).toEqual(told);
});

it('a call that hangs does not delay other calls and counts for the time when it began', async () => {
  const answer = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let made = 0;
  const ask = async (): Promise<void> => {
    made += 1;
    if (made === 2) second.resolve();
    await answer.promise;
    throw new Error('late');
  };
  const pacing = new Pacing({ tables: ask });
  await second.promise;
  const split = performance.now();
  const stopped = pacing.stop(split);
  answer.resolve();
  const { before, since } = await stopped;
  expect(before['tables']!.failures).toHaveLength(made);
  expect(since['tables']!.failures).toEqual([]);
});

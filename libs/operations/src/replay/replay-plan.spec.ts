import { expect, it } from 'vitest';
import { offsetsOf, planReplay, replayTableName } from './replay-plan.ts';

const log = [
  { partition: 0, low: 0, high: 1000 },
  { partition: 1, low: 300, high: 500 },
];

it('a plan covers everything that the log still has', () => {
  const plan = planReplay({ log, starts: undefined, ends: undefined, dedupOffsets: 50 });
  expect(plan).toEqual([
    { partition: 0, low: 0, start: 0, from: 0, to: 1000 },
    { partition: 1, low: 300, start: 300, from: 300, to: 500 },
  ]);
  expect(offsetsOf(plan)).toBe(1200);
});

it('a plan of a part starts one window early, and never below the start of the log', () => {
  const plan = planReplay({
    log,
    starts: new Map([
      [0, 400],
      [1, 320],
    ]),
    ends: new Map([
      [0, 600],
      [1, 500],
    ]),
    dedupOffsets: 50,
  });
  expect(plan).toEqual([
    { partition: 0, low: 0, start: 350, from: 400, to: 600 },
    { partition: 1, low: 300, start: 300, from: 320, to: 500 },
  ]);
});

it('a plan of an empty part compares no offset', () => {
  expect(
    offsetsOf(
      planReplay({
        log,
        starts: new Map([
          [0, 700],
          [1, 100],
        ]),
        ends: new Map([
          [0, 600],
          [1, 200],
        ]),
        dedupOffsets: 50,
      }),
    ),
  ).toBe(0);
});

it('the name of a replay holds the time, also for the replay of a replay', () => {
  const now = new Date('2026-11-25T09:31:02.345Z');
  expect(replayTableName('purchases', now)).toBe('purchases_replay_20261125093102');
  expect(replayTableName('purchases_replay_20250101000000', now)).toBe('purchases_replay_20261125093102');
});

import { expect, it } from 'vitest';
import { runFuzzedTopic } from './fuzz/fuzzed-topic.ts';

it.each([
  ['producer', 1, 0],
  ['broker', 2, 1],
])(
  'every record of a fuzzed topic with the time of the %s becomes a row, a reject or a duplicate, seed %i, with %i kills of the sink',
  async (clock, seed, kills) => {
    const { failures, records, rows, rejects, duplicates, hidden } = await runFuzzedTopic({
      records: 4000,
      seed,
      kills,
      appendTime: clock === 'broker',
      tell: () => undefined,
    });
    expect(failures).toEqual([]);
    expect(rows + rejects + duplicates).toBe(records);
    expect(Math.min(rows, rejects, duplicates, hidden)).toBeGreaterThan(0);
  },
  240_000,
);

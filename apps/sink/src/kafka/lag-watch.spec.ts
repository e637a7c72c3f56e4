import { beforeEach, describe, expect, it } from 'vitest';
import { LagWatch, type LaneOffsets } from './lag-watch.ts';

const everyMs = 5000;
let now: number;
let ends: Map<number, number> | undefined;
let committed: Map<number, number>;
let lanes: Map<number, LaneOffsets | undefined>;
let joined: boolean;
let failures: unknown[];
let timers: (() => void)[];
let watch: LagWatch;
beforeEach(() => {
  now = 0;
  ends = new Map([
    [0, 10],
    [1, 20],
  ]);
  committed = new Map();
  lanes = new Map([
    [0, { taken: 10, landed: 4 }],
    [1, { taken: 15, landed: 5 }],
  ]);
  joined = true;
  failures = [];
  timers = [];
  watch = new LagWatch({
    ends: async () => {
      if (ends === undefined) throw new Error('no broker');
      return ends;
    },
    committed: async () => committed,
    lanes: () => lanes,
    joined: () => joined,
    clock: { now: () => now, setTimeout: (run) => timers.push(run), clearTimeout: () => void timers.pop() },
    everyMs,
    onFailure: (error) => void failures.push(error),
  });
});

async function settle(): Promise<void> {
  while (timers.length === 0) await new Promise((resolve) => setImmediate(resolve));
}

async function first(): Promise<void> {
  watch.start();
  await settle();
}

async function next(): Promise<void> {
  now += everyMs;
  timers.shift()!();
  await settle();
}

const stalls = (): readonly (readonly [number, number])[] => watch.all.map(({ partition, stalledMs }) => [partition, stalledMs]);

describe('the lag of a partition', () => {
  it('the lag is measured from the lane to the end offset of Kafka', async () => {
    await first();
    expect(watch.all).toEqual([
      { partition: 0, end: 10, taken: 10, landed: 4, stalledMs: 0 },
      { partition: 1, end: 20, taken: 15, landed: 5, stalledMs: 0 },
    ]);
  });

  it('the lag grows while the end offset grows and the consumer takes nothing', async () => {
    await first();
    ends = new Map([
      [0, 10],
      [1, 70],
    ]);
    await next();
    await next();
    expect(watch.all[1]).toMatchObject({ end: 70, taken: 15, stalledMs: 2 * everyMs });
  });

  it('the lag covers the partitions held last while the group is not joined', async () => {
    joined = false;
    await first();
    await next();
    expect(stalls()).toEqual([
      [0, 0],
      [1, everyMs],
    ]);
  });

  it('a process that never held a partition, and is out of the group, covers the whole topic by committed offsets', async () => {
    [joined, lanes, committed] = [false, new Map(), new Map([[1, 12]])];
    await first();
    await next();
    expect(watch.all).toEqual([
      { partition: 0, end: 10, taken: 0, landed: 0, stalledMs: everyMs },
      { partition: 1, end: 20, taken: 12, landed: 12, stalledMs: everyMs },
    ]);
  });

  it('the lag is left to the other members when the process is joined and got no partition', async () => {
    lanes = new Map();
    await first();
    expect(watch.all).toEqual([]);
  });

  it('the lag is taken from the committed offset while a lane looks for its head', async () => {
    [lanes, committed] = [new Map([[1, undefined]]), new Map([[1, 18]])];
    await first();
    expect(watch.all).toMatchObject([{ partition: 1, taken: 18, landed: 18 }]);
  });
});

describe('the stall of a partition', () => {
  it('the stall time restarts whenever the lane takes records, and is 0 when none waits', async () => {
    await first();
    await next();
    expect(stalls()).toEqual([
      [0, 0],
      [1, everyMs],
    ]);
    lanes = new Map([
      [0, { taken: 10, landed: 10 }],
      [1, { taken: 16, landed: 5 }],
    ]);
    expect(stalls()).toEqual([
      [0, 0],
      [1, 0],
    ]);
    await next();
    await next();
    expect(stalls()).toEqual([
      [0, 0],
      [1, everyMs],
    ]);
    lanes = new Map([[1, { taken: 20, landed: 5 }]]);
    await next();
    expect(stalls()).toEqual([[1, 0]]);
  });

  it('the stall time grows, and the watch keeps asking, while Kafka does not answer', async () => {
    await first();
    ends = undefined;
    await next();
    await next();
    expect(stalls()).toEqual([
      [0, 0],
      [1, 2 * everyMs],
    ]);
    expect(failures).toHaveLength(2);
    expect(timers).toHaveLength(1);
  });

  it('the stall time begins anew when the partition comes back from another member', async () => {
    await first();
    await next();
    const held = lanes;
    lanes = new Map([[0, held.get(0)]]);
    await next();
    lanes = held;
    await next();
    expect(stalls()).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});

it('a stopped watch asks no more', async () => {
  await first();
  watch.stop();
  expect(timers).toEqual([]);
});

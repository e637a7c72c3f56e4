import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { type Timed, TimerQueue } from './timer-queue.ts';

function setUp(limitMs: number) {
  const clock = new VirtualClock(0);
  const queue = new TimerQueue(limitMs, clock, () => clock.monotonic());
  const over: string[] = [];
  const timed = (name: string): Timed => ({
    onTimeout: () => void over.push(`${name}@${clock.monotonic()}`),
    timerDueMs: 0,
    timerNext: undefined,
    timerPrevious: undefined,
  });
  return { clock, queue, over, timed };
}

describe('TimerQueue', () => {
  it('the queue ends each limit in time with one timer', async () => {
    const { clock, queue, over, timed } = setUp(100);
    queue.add(timed('a'), 0);
    await clock.advance(30);
    queue.add(timed('b'), 30);
    queue.add(timed('c'), 30);
    expect(clock.pending).toBe(1);
    await clock.advance(1000);
    expect(over).toEqual(['a@100', 'b@130', 'c@130']);
    expect(clock.pending).toBe(0);
  });

  it('the queue forgets a removed limit at any position', async () => {
    const { clock, queue, over, timed } = setUp(100);
    const all = ['a', 'b', 'c', 'd', 'e'].map(timed);
    for (const each of all) queue.add(each, 0);
    for (const index of [2, 0, 4]) queue.remove(all[index]!);
    await clock.advance(100);
    expect(over).toEqual(['b@100', 'd@100']);
    queue.add(all[0]!, 100);
    await clock.advance(100);
    expect(over.at(-1)).toBe('a@200');
  });

  it('an idle queue clears its timer after at most a second, and at once on release', async () => {
    const { clock, queue, over, timed } = setUp(10_000);
    const one = timed('a');
    queue.add(one, 0);
    queue.release();
    expect(clock.pending).toBe(1);
    queue.remove(one);
    expect(clock.pending).toBe(1);
    await clock.advance(1000);
    expect(clock.pending).toBe(0);
    queue.add(one, 1000);
    queue.remove(one);
    queue.release();
    queue.release();
    expect(clock.pending).toBe(0);
    queue.add(one, 1000);
    await clock.advance(10_000);
    expect(over).toEqual(['a@11000']);
  });

  it('the queue continues when a timeout callback adds or removes limits', async () => {
    const { clock, queue, over, timed } = setUp(100);
    const next = timed('next');
    const removed = timed('removed');
    queue.add(
      {
        ...timed('first'),
        onTimeout: () => {
          over.push('first');
          queue.remove(removed);
          queue.add(next, 100);
        },
      },
      0,
    );
    queue.add(removed, 0);
    await clock.advance(200);
    expect(over).toEqual(['first', 'next@200']);
    expect(clock.pending).toBe(0);
  });
});

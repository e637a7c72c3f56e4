import { beforeEach, describe, expect, it } from 'vitest';
import { StallClock } from './stall-clock.ts';

let clock: StallClock;
beforeEach(() => {
  clock = new StallClock();
  clock.read(0, 10, 1000);
  clock.read(1, 10, 1000);
});

describe('StallClock', () => {
  it('the stall of a partition is its longest time between two moves', () => {
    clock.read(0, 20, 1100);
    clock.read(1, 20, 1400);
    clock.read(0, 30, 1300);
    clock.read(1, 30, 1500);
    expect([...clock.takeLongest(1500)]).toEqual([
      [0, 200],
      [1, 400],
    ]);
  });

  it('a stall continues while a new owner repeats earlier events', () => {
    clock.read(0, 4, 1500);
    clock.read(0, 10, 2000);
    clock.read(0, 11, 2500);
    clock.read(1, 11, 2500);
    expect(clock.takeLongest(2500).get(0)).toBe(1500);
  });

  it('a stall counts while it lasts and with its whole length afterwards', () => {
    clock.read(1, 11, 4000);
    expect(clock.takeLongest(4000).get(0)).toBe(3000);
    clock.read(0, 11, 9000);
    expect([...clock.takeLongest(9000)]).toEqual([
      [0, 8000],
      [1, 5000],
    ]);
  });

  it('movedSince returns the partitions whose stalls have ended', () => {
    clock.read(1, 11, 4000);
    expect(clock.movedSince(1000)).toEqual([1]);
  });
});

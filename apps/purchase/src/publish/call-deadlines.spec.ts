import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { CallDeadlines } from './call-deadlines.ts';

let clock: ManualClock;
let deadlines: CallDeadlines;
let expired: string[];

beforeEach(() => {
  clock = new ManualClock();
  deadlines = new CallDeadlines(clock);
  expired = [];
});

function callDueIn(ms: number, name: string) {
  const call = {
    deadline: clock.now() + ms,
    expire: () => {
      expired.push(name);
      deadlines.remove(call);
    },
  };
  deadlines.add(call);
  return call;
}

describe('CallDeadlines', () => {
  it('one timer expires each call at its own time, whatever their order', async () => {
    callDueIn(300, 'c');
    callDueIn(100, 'a');
    callDueIn(200, 'b');
    expect(clock.pending).toBe(1);
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['a']);
    await clock.advance(200);
    expect([expired, clock.pending]).toEqual([['a', 'b', 'c'], 0]);
  });

  it('a call that has ended does not expire, and a later one still does', async () => {
    deadlines.remove(callDueIn(100, 'a'));
    callDueIn(150, 'b');
    await clock.advance(100);
    expect(expired).toEqual([]);
    await clock.advance(50);
    expect(expired).toEqual(['b']);
  });

  it('a call whose deadline has passed expires', async () => {
    callDueIn(-5, 'a');
    await clock.advance(0);
    expect(expired).toEqual(['a']);
  });

  it('no timer is left once the deadlines are stopped and the last call has ended', () => {
    const call = callDueIn(100, 'a');
    deadlines.stop();
    expect(clock.pending).toBe(1);
    deadlines.remove(call);
    expect(clock.pending).toBe(0);
  });
});

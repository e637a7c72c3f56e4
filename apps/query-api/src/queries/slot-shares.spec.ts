import { anonymous, type PrincipalId } from '@millrace/runtime';
import { describe, expect, it } from 'vitest';
import { SlotShares } from './slot-shares.ts';

const alice: PrincipalId = { kind: 'api-key', issuer: '', subject: 'alice' };
const bob: PrincipalId = { kind: 'api-key', issuer: '', subject: 'bob' };

describe('SlotShares', () => {
  it('one principal holds all slots but one, and another still gets a slot', () => {
    const shares = new SlotShares(3);
    expect([shares.take('1', alice), shares.take('2', alice), shares.take('3', alice), shares.take('4', bob)]).toEqual([
      undefined,
      undefined,
      250,
      undefined,
    ]);
  });

  it('a released slot goes to a query that was set aside', () => {
    const shares = new SlotShares(2);
    expect([shares.take('1', alice), shares.take('2', alice)]).toEqual([undefined, 250]);
    shares.release(alice);
    expect(shares.take('2', alice)).toBeUndefined();
    expect(shares.take('3', alice)).toBe(250);
  });

  it('the more queries are set aside, the longer each waits, up to 5 s', () => {
    const shares = new SlotShares(2);
    shares.take('1', alice);
    const waits = Array.from({ length: 1000 }, (_, n) => shares.take(`later ${n}`, alice)!);
    expect([waits[0], waits[1], waits[100], waits.at(-1)]).toEqual([250, 260, 1250, 5000]);
    // The same query counts once.
    expect(new Set(Array.from({ length: 5 }, () => shares.take('later 0', alice)))).toEqual(new Set([5000]));
  });

  it.each([
    { who: 'anonymous callers', principal: anonymous, slots: 2 },
    { who: 'queries of versions without owners', principal: undefined, slots: 2 },
  ])('$who hold all slots', ({ principal, slots }) => {
    const shares = new SlotShares(slots);
    expect(Array.from({ length: slots }, (_, n) => shares.take(`${n}`, principal))).toEqual(Array.from({ length: slots }));
  });

  it('a single slot is shared by all in turn', () => {
    const shares = new SlotShares(1);
    expect(shares.take('1', alice)).toBeUndefined();
    shares.release(alice);
    expect(shares.take('2', bob)).toBeUndefined();
  });
});

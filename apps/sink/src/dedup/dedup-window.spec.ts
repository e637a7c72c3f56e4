import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DedupWindow } from './dedup-window.ts';

const idOf = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;

describe('DedupWindow', () => {
  it('the window counts in offsets: one window back is a duplicate, one offset more is not', () => {
    const window = new DedupWindow(100);
    window.add(idOf(1), 7);
    expect(window.holds(idOf(1), 107)).toBe(true);
    expect(window.holds(idOf(1), 108)).toBe(false);
    expect(window.holds(idOf(2), 107)).toBe(false);
  });

  it('the window accepts ids that are not UUIDs, and is off at 0', () => {
    const window = new DedupWindow(4);
    window.add('order 7', 0);
    expect(window.holds('order 7', 1)).toBe(true);
    expect(window.holds('order 8', 1)).toBe(false);
    const off = new DedupWindow(0);
    off.add('order 7', 0);
    expect(off.holds('order 7', 1)).toBe(false);
  });

  it('the window forgets rows that did not land, and keeps landed rows', () => {
    const window = new DedupWindow(4);
    for (let offset = 0; offset < 6; offset += 1) window.add(idOf(offset), offset);
    window.forgetFrom(4);
    expect(window.knownTo).toBe(4);
    expect([2, 3, 4, 5].map((n) => window.holds(idOf(n), 6))).toEqual([true, true, false, false]);
  });

  it('the window forgets everything when it read so far ahead that it no longer knows the landed rows', () => {
    const window = new DedupWindow(4);
    for (let offset = 0; offset < 12; offset += 1) window.add(idOf(offset), offset);
    window.forgetFrom(6);
    expect(window.knownTo).toBe(2);
    expect(window.holds(idOf(5), 6)).toBe(false);
  });

  it('the window decides as a plain list of the kept rows does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.record({ id: fc.integer({ min: 0, max: 9 }), skip: fc.integer({ min: 0, max: 3 }) }), { maxLength: 80 }),
        (length, records) => {
          const window = new DedupWindow(length);
          const kept: { id: number; offset: number }[] = [];
          let offset = 0;
          for (const { id, skip } of records) {
            offset += 1 + skip;
            const duplicate = kept.some((row) => row.id === id && offset - row.offset <= length);
            expect(window.holds(idOf(id), offset)).toBe(duplicate);
            if (duplicate) continue;
            kept.push({ id, offset });
            window.add(idOf(id), offset);
          }
        },
      ),
    );
  });
});

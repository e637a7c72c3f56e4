import { describe, expect, it } from 'vitest';
import { boundsOf, moved, spans, zoomed } from './time-window.ts';

const now = 1_800_000_000_000;
const day = 86_400_000;

describe('the window of the ledger', () => {
  it('a window without an end reaches to now', () => {
    expect(boundsOf({ spanMs: day }, now)).toEqual({ fromMs: now - day, toMs: now });
    expect(boundsOf({ spanMs: day, toMs: now - day }, now)).toEqual({ fromMs: now - 2 * day, toMs: now - day });
  });

  it('zooming in five times leads from a month to 15 minutes around the same moment', () => {
    const around = now - 10 * day;
    let window = zoomed({ spanMs: 30 * day }, 'in', around, now);
    for (let n = 1; n < 5; n += 1) window = zoomed(window, 'in', around, now);
    expect(window).toEqual({ spanMs: 900_000, toMs: around + 450_000 });
  });

  it('the smallest and the largest span stay', () => {
    expect(zoomed({ spanMs: spans[0].ms, toMs: now - day }, 'in', now - day, now).spanMs).toBe(spans[0].ms);
    expect(zoomed({ spanMs: 30 * day }, 'out', now, now)).toEqual({ spanMs: 30 * day });
  });

  it('a window that reaches the present moves on with it', () => {
    expect(moved({ spanMs: day, toMs: now - day / 2 }, 'later', now)).toEqual({ spanMs: day });
    expect(moved({ spanMs: day }, 'earlier', now)).toEqual({ spanMs: day, toMs: now - day / 2 });
  });
});

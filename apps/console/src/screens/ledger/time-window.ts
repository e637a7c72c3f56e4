/** A span of time. Without `to` it ends now and moves on. */
export interface TimeWindow {
  readonly spanMs: number;
  /** Epoch milliseconds. */
  readonly toMs?: number | undefined;
}

const minuteMs = 60_000;

/** Spans between which the screen zooms, from a minute to a month. */
export const spans = [
  { ms: minuteMs, label: 'Minute' },
  { ms: 15 * minuteMs, label: '15 minutes' },
  { ms: 60 * minuteMs, label: 'Hour' },
  { ms: 6 * 60 * minuteMs, label: '6 hours' },
  { ms: 24 * 60 * minuteMs, label: 'Day' },
  { ms: 7 * 24 * 60 * minuteMs, label: 'Week' },
  { ms: 30 * 24 * 60 * minuteMs, label: 'Month' },
] as const;

/** The begin and the end of a window, in epoch milliseconds. */
export function boundsOf({ spanMs, toMs }: TimeWindow, nowMs: number): { readonly fromMs: number; readonly toMs: number } {
  const end = toMs ?? nowMs;
  return { fromMs: end - spanMs, toMs: end };
}

/** The window of the next smaller or larger span around a moment. */
export function zoomed(window: TimeWindow, direction: 'in' | 'out', aroundMs: number, nowMs: number): TimeWindow {
  const span =
    direction === 'in'
      ? (spans.findLast(({ ms }) => ms < window.spanMs) ?? spans[0]).ms
      : (spans.find(({ ms }) => ms > window.spanMs) ?? spans.at(-1)!).ms;
  const toMs = Math.round(aroundMs + span / 2);
  // A window that reaches the present keeps moving.
  return toMs >= nowMs ? { spanMs: span } : { spanMs: span, toMs };
}

/** The window half a span earlier or later. */
export function moved(window: TimeWindow, direction: 'earlier' | 'later', nowMs: number): TimeWindow {
  const toMs = boundsOf(window, nowMs).toMs + (direction === 'earlier' ? -0.5 : 0.5) * window.spanMs;
  return toMs >= nowMs ? { spanMs: window.spanMs } : { spanMs: window.spanMs, toMs };
}

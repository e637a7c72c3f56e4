import type { LoadPoint } from '../generator/stream-tally.ts';

/** Length of the window over which the goodput is averaged, in seconds. */
const windowSeconds = 3;

/**
 * Time from the start of the points until the goodput is back. It is back at the first moment after which every window of
 * 3 s has this share of the due requests accepted.
 *
 * @param points points of all streams, at one-second intervals, from the end of the overload on
 * @returns seconds; undefined without samples, or when the goodput does not return
 */
export function recoverySeconds(points: readonly LoadPoint[], share: number): number | undefined {
  const begin = Math.min(...points.map(({ second }) => second));
  const seconds: { due: number; accepted: number }[] = [];
  for (const { second, due, accepted } of points) {
    const at = (seconds[Math.round(second - begin)] ??= { due: 0, accepted: 0 });
    at.due += due;
    at.accepted += accepted;
  }
  const windows = seconds.slice(0, seconds.length - windowSeconds + 1).map((_, n) => seconds.slice(n, n + windowSeconds));
  const isGood = windows.map((window) => {
    const [due, accepted] = [window.reduce((sum, one) => sum + one.due, 0), window.reduce((sum, one) => sum + one.accepted, 0)];
    return due > 0 && accepted / due >= share;
  });
  if (isGood.at(-1) !== true) return undefined;
  return isGood.lastIndexOf(false) + 1;
}

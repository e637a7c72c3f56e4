import type { JSX } from 'preact';

const [width, height] = [120, 28];

/** A small curve of the last values. The text beside it states the newest value, so screen readers skip the curve. */
export function Sparkline({ values }: { readonly values: readonly (number | undefined)[] }): JSX.Element {
  const known = values.filter((value) => value !== undefined);
  const most = Math.max(1e-9, ...known);
  const step = width / Math.max(1, values.length - 1);
  const points = values.flatMap((value, n) =>
    value === undefined ? [] : [`${(n * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`],
  );
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}

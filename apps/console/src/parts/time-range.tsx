import type { JSX } from 'preact';
import { keysOf } from './names.ts';

const hourMs = 3_600_000;

/** Spans of time up to now that a screen can show. */
export const timeRanges = {
  '1h': { label: 'Last hour', ms: hourMs },
  '24h': { label: 'Last 24 hours', ms: 24 * hourMs },
  '7d': { label: 'Last 7 days', ms: 7 * 24 * hourMs },
  '30d': { label: 'Last 30 days', ms: 30 * 24 * hourMs },
  all: { label: 'All time', ms: undefined },
} as const;

export type TimeRangeName = keyof typeof timeRanges;

/** The range of a name in an address; a name that is not known is the standard. */
export function rangeOf(name: string, standard: TimeRangeName): TimeRangeName {
  return keysOf(timeRanges).find((one) => one === name) ?? standard;
}

/** Chooses the span of time that a screen shows. */
export function TimeRange({
  value,
  onChange,
}: {
  readonly value: TimeRangeName;
  readonly onChange: (name: TimeRangeName) => void;
}): JSX.Element {
  return (
    <label class="row small">
      Time
      <select value={value} onChange={({ currentTarget }) => onChange(rangeOf(currentTarget.value, value))}>
        {keysOf(timeRanges).map((name) => (
          <option key={name} value={name}>
            {timeRanges[name].label}
          </option>
        ))}
      </select>
    </label>
  );
}

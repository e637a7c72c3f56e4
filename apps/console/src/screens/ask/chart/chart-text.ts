import type { ChartData } from './chart-data.ts';

const number = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 6 });

/** A value as the chart writes it. */
export function valueText(value: number | null | undefined): string {
  return value === null || value === undefined ? 'no value' : number.format(value);
}

/** The text of a place on the axis. Times are in UTC. */
export function placeText({ kind, positions, labels }: ChartData, index: number): string {
  const position = positions[index];
  if (position === undefined) return '';
  if (kind === 'category') return labels[index]!;
  if (kind === 'number') return number.format(position);
  const text = new Date(position * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$|Z$/, '');
  return text.replace(/ 00:00:00$/, '');
}

/** A description of the chart for screen readers: its kind, its axis, and the range of each series. */
export function chartText(data: ChartData): string {
  const { kind, axis = 'row number', positions, series } = data;
  const count = positions.length;
  if (count === 0) return 'No row has a place on this axis.';
  const extent =
    kind === 'category'
      ? `${count === 1 ? '1 bar' : `${count} bars`}, from ${placeText(data, 0)} to ${placeText(data, count - 1)}`
      : `${count === 1 ? '1 point' : `${number.format(count)} points`}, from ${placeText(data, 0)} to ${placeText(data, count - 1)}`;
  return `${kind === 'category' ? 'Bars' : 'Lines'} by ${axis}: ${extent}. ${series.map((one) => seriesText(one.name, one.values)).join('. ')}.`;
}

function seriesText(name: string, values: readonly (number | null)[]): string {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value === null) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least > most ? `${name}: no value` : `${name}: ${number.format(least)} to ${number.format(most)}`;
}

const count = new Intl.NumberFormat('en-GB');
const few = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 });

/** A whole number with its thousands grouped. */
export function countText(value: number): string {
  return count.format(value);
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A size in the largest unit of which there is at least one: `1.5 MiB`. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), byteUnits.length - 1);
  return `${few.format(bytes / 1024 ** power)} ${byteUnits[power]}`;
}

/** A duration in a readable unit: `120 ms`, `4.2 s`, `3 min 5 s`, `2 h 4 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** A price in US dollars with the digits that matter: a query often costs a fraction of a cent. */
export function usdText(usd: number): string {
  if (usd === 0) return '$0';
  return usd >= 0.01 ? `$${usd.toFixed(2)}` : `$${Number(usd.toPrecision(2)).toFixed(Math.min(12, 1 - Math.floor(Math.log10(usd))))}`;
}

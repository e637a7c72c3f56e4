import { grouped } from '@millrace/operations';

/** Bytes for a person: 1,234 B, 12.3 KB, 4.5 GB. */
export function sized(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${grouped(value)} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds for a person: 0.8 s, 2 min 5 s. */
export function lasted(ms: number): string {
  const seconds = ms / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

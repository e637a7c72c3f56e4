/** Formats a whole number with thousands separators: 12345 becomes `12,345`. */
export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Formats a count with its noun: `1 file`, `2 files`, `12,345 files`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** Text of bytes, the same on every engine: printable ASCII as it is, and all else as `\xHH`, as DuckDB casts bytes to text. */
export function bytesText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[^ !#-&(-[\]-~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** The shortest decimal number that is this 32-bit number: 0.1 and not 0.10000000149011612. */
export function shortestReal(value: number): number {
  const real = Math.fround(value);
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(real.toPrecision(digits));
    if (Math.fround(short) === real) return short;
  }
  return Number(real.toPrecision(9));
}

/** A time without the zeros of its fraction, which Trino writes and DuckDB does not. The emulator of Athena writes UTC as an offset. */
export function timeText(text: string): string {
  const short = text.replace(/\.(\d*?)0*(?= |[+-]|$)/, (_fraction, digits: string) => (digits === '' ? '' : `.${digits}`));
  return short.replace(/^(\S+ \S+)\+00:00$/, '$1 UTC');
}

/**
 * Folds an identifier as DuckDB does: only the ASCII letters. `String.prototype.toLowerCase()` also maps characters such as the
 * Kelvin sign (U+212A) to ASCII letters, so two names that DuckDB keeps apart would look the same.
 */
export function foldName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * Whether every engine folds the name to the same text. DuckDB folds ASCII, Trino folds Unicode: a name that both fold alike means
 * the same to each of them.
 */
export function foldsAlike(name: string): boolean {
  return foldName(name) === name.toLowerCase() && name === name.normalize('NFKC');
}

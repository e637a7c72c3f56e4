/** A node of the tree that DuckDB's parser gives as JSON. */
export type TreeNode = Readonly<Record<string, unknown>>;

/** Folds a name as DuckDB does: it knows upper and lower case in ASCII only. */
export function foldAscii(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

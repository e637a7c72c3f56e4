/** A node of the tree that DuckDB's parser gives as JSON. */
export type TreeNode = Readonly<Record<string, unknown>>;

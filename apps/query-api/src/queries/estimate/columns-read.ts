import { foldName } from '../../statement/fold.ts';
import { nodesOf, type TreeNode } from '../../statement/tree-node.ts';

/**
 * Finds the columns that a statement may read of its tables, as folded names. Undefined: every column. A name counts wherever it occurs, so
 * that the set may be too large and is never too small.
 *
 * @param statement the tree of one statement; undefined for one that cannot be parsed
 */
export function columnsRead(statement: TreeNode | undefined): ReadonlySet<string> | undefined {
  if (statement === undefined) return undefined;
  const columns = new Set<string>();
  const references = new Set<string>();
  for (const node of nodesOf(statement)) {
    if (readsEveryColumn(node)) return undefined;
    for (const name of namesOf(node['column_names'])) columns.add(name);
    for (const name of namesOf(node['using_columns'])) columns.add(name);
    // A tree names a reference by its alias or by its table.
    if (isReference(node)) for (const name of namesOf([node['alias'], node['table_name']])) references.add(name);
  }
  // The name of a reference is a row of all its columns.
  for (const name of columns) if (references.has(name)) return withoutQualifiers(statement, references) ? undefined : columns;
  return columns;
}

function readsEveryColumn(node: TreeNode): boolean {
  const renamed = node['column_name_alias'];
  return (
    node['class'] === 'STAR' ||
    node['class'] === 'POSITIONAL_REFERENCE' ||
    node['ref_type'] === 'NATURAL' ||
    (node['type'] === 'BASE_TABLE' && Array.isArray(renamed) && renamed.length > 0)
  );
}

function isReference({ type }: TreeNode): boolean {
  return type === 'BASE_TABLE' || type === 'SUBQUERY' || type === 'TABLE_FUNCTION' || type === 'JOIN';
}

/** Whether a reference is named alone, and not only in front of a column. */
function withoutQualifiers(statement: TreeNode, references: ReadonlySet<string>): boolean {
  for (const node of nodesOf(statement)) {
    const names = namesOf(node['column_names']);
    if (node['class'] === 'COLUMN_REF' && names.length === 1 && references.has(names[0]!)) return true;
  }
  return false;
}

function namesOf(names: unknown): string[] {
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string').map(foldName) : [];
}

/** A node of the tree that DuckDB's parser gives as JSON. */
export type TreeNode = Readonly<Record<string, unknown>>;

/**
 * The nodes of a tree, each before its children. The nodes below a constant are left out: it holds the caller's own value, never a node.
 * The walk keeps its own stack, because a statement can be nested thousands of levels deep.
 */
export function* nodesOf(tree: TreeNode): Generator<TreeNode> {
  const stack: unknown[] = [tree];
  while (stack.length > 0) {
    const value = stack.pop();
    if (Array.isArray(value)) {
      for (const item of value) stack.push(item);
      continue;
    }
    if (typeof value !== 'object' || value === null) continue;
    const node = value as TreeNode;
    if (node['class'] === 'CONSTANT') continue;
    yield node;
    for (const child of Object.values(node)) stack.push(child);
  }
}

import { allowedFunctions, allowedTableFunctions, refusalReasons } from './allowed-functions.ts';
import { foldName, foldsAlike } from './fold.ts';
import type { TreeNode } from './tree-node.ts';

/** A part of a statement that is not allowed. */
export interface Refusal {
  /** The refused element, and the allowed alternative. */
  readonly message: string;
  /** UTF-8 byte offset in the statement, if the parser reports it. */
  readonly byteOffset: number | undefined;
}

/** Result of the walk. */
export interface Inspection {
  readonly refusal: Refusal | undefined;
  /** How many `?` the parser saw. */
  readonly parameters: number;
}

/** Tables a statement may name. */
export interface AllowedTables {
  readonly database: string;
  readonly tables: readonly string[];
}

/** Rules for the names in a statement; each name is folded. */
export interface NameRules extends AllowedTables {
  /** Tables and views that DuckDB finds without a schema. A WITH query may not have such a name. */
  readonly builtIns: ReadonlySet<string>;
}

const queryNodes = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE']);
const tableReferences = new Set(['EMPTY', 'EMPTY_FROM', 'BASE_TABLE', 'SUBQUERY', 'JOIN', 'TABLE_FUNCTION', 'EXPRESSION_LIST']);
const modifiers = new Set(['ORDER_MODIFIER', 'LIMIT_MODIFIER', 'LIMIT_PERCENT_MODIFIER', 'DISTINCT_MODIFIER']);
const orderTypes = new Set(['ORDER_DEFAULT', 'ASCENDING', 'DESCENDING']);
const expressionClasses = new Set([
  'BETWEEN',
  'CASE',
  'CAST',
  'COLLATE',
  'COLUMN_REF',
  'COMPARISON',
  'CONJUNCTION',
  'CONSTANT',
  'FUNCTION',
  'LAMBDA',
  'LAMBDA_REF',
  'OPERATOR',
  'PARAMETER',
  'POSITIONAL_REFERENCE',
  'STAR',
  'SUBQUERY',
  'WINDOW',
  'TYPE',
]);
// Look like columns and are functions of the session.
const sessionValues = new Set(['current_catalog', 'current_role', 'current_schema', 'current_user', 'session_user']);
/** Names are looked up in a set that is copied for each WITH query, so that their number is limited. */
const withQueriesMax = 200;
const plainName = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/**
 * Walks the tree of one statement. Only known node kinds, functions and tables pass. The walk knows a CTE's name exactly where
 * DuckDB resolves it. DuckDB may take any other name for a built-in view or a file.
 *
 * The walk keeps its own stack: a statement can be nested thousands of levels deep.
 */
export function inspect(statement: TreeNode, allowed: NameRules): Inspection {
  let parameters = 0;
  let withQueries = 0;
  const stack: { value: unknown; ctes: ReadonlySet<string> }[] = [{ value: statement, ctes: new Set() }];
  while (stack.length > 0) {
    const { value, ctes } = stack.pop()!;
    if (Array.isArray(value)) {
      for (let at = value.length - 1; at >= 0; at -= 1) stack.push({ value: value[at] as unknown, ctes });
      continue;
    }
    if (typeof value !== 'object' || value === null) continue;
    const node = value as TreeNode;
    const refusal = judge(node, ctes, allowed);
    if (refusal !== undefined) return { refusal, parameters };
    if (node['class'] === 'PARAMETER') parameters += 1;
    // A constant holds the caller's own value, never a node.
    if (node['class'] === 'CONSTANT') continue;

    withQueries += withQueriesOf(node).length;
    if (withQueries > withQueriesMax)
      return { refusal: { message: `a statement may have at most ${withQueriesMax} WITH queries`, byteOffset: undefined }, parameters };
    const scoped = declareCtes(node, ctes, allowed.builtIns, stack);
    if ('refusal' in scoped) return { refusal: scoped.refusal, parameters };
    const recursive = node['type'] === 'RECURSIVE_CTE_NODE' ? folded(node['cte_name']) : undefined;
    for (const [key, child] of Object.entries(node)) {
      if (key === 'cte_map' || typeof child !== 'object') continue;
      // Only the recursive side sees the CTE itself; in the anchor the name would be looked up outside.
      stack.push({ value: child, ctes: recursive !== undefined && key === 'right' ? new Set([...scoped.ctes, recursive]) : scoped.ctes });
    }
  }
  return { refusal: undefined, parameters };
}

function withQueriesOf(node: TreeNode): readonly { readonly key: string; readonly value: unknown }[] {
  return (node['cte_map'] as { map?: readonly { key: string; value: unknown }[] } | undefined)?.map ?? [];
}

/** Pushes each CTE's query with the names it may see, and returns the names that the node's body may see. */
function declareCtes(
  node: TreeNode,
  outer: ReadonlySet<string>,
  builtIns: ReadonlySet<string>,
  stack: { value: unknown; ctes: ReadonlySet<string> }[],
): { ctes: ReadonlySet<string> } | { refusal: Refusal } {
  const entries = withQueriesOf(node);
  if (entries.length === 0) return { ctes: outer };
  // Names are added one by one to a separate set: each CTE sees the ones before it, not itself.
  let visible = outer;
  for (const { key, value } of entries) {
    const problem = problemOfCteName(key, builtIns);
    if (problem !== undefined)
      return { refusal: { message: `the name of a WITH query must be ${problem}, not ${quoted(key)}`, byteOffset: undefined } };
    stack.push({ value, ctes: visible });
    visible = new Set([...visible, foldName(key)]);
  }
  return { ctes: visible };
}

function problemOfCteName(name: string, builtIns: ReadonlySet<string>): string | undefined {
  if (!plainName.test(name)) return 'letters, digits and underscores';
  if (!foldsAlike(name)) return 'in lower case where it has letters outside ASCII';
  return builtIns.has(foldName(name)) ? "other than a built-in view's" : undefined;
}

function judge(node: TreeNode, ctes: ReadonlySet<string>, allowed: NameRules): Refusal | undefined {
  const refuse = (message: string): Refusal => ({ message, byteOffset: byteOffset(node) });
  const kind = node['class'];
  const type = node['type'];
  if (typeof kind === 'string') {
    if (!expressionClasses.has(kind)) return refuse(`an expression of kind ${kind} is not allowed`);
    if (kind === 'COLUMN_REF') return judgeColumn(node, refuse);
    if (kind === 'FUNCTION' || kind === 'WINDOW') return judgeFunction(node, refuse);
    return undefined;
  }
  if (typeof type !== 'string') return undefined;
  if (type === 'BASE_TABLE') return judgeTable(node, ctes, allowed, refuse);
  if (type === 'TABLE_FUNCTION') {
    const name = folded((node['function'] as TreeNode | undefined)?.['function_name']);
    return allowedTableFunctions.has(name)
      ? undefined
      : refuse(
          `the table function ${quoted(name)} is not allowed; in FROM may stand ${tableNames(allowed)}, WITH queries, subqueries and ${[...allowedTableFunctions].join(', ')}`,
        );
  }
  if (type === 'SHOW_REF') return refuse('DESCRIBE, SHOW and SUMMARIZE are not allowed; GET /v1/tables lists tables and columns');
  if (queryNodes.has(type) || tableReferences.has(type) || modifiers.has(type) || orderTypes.has(type) || type.endsWith('_TYPE_INFO'))
    return undefined;
  return refuse(`${type} is not allowed`);
}

function judgeColumn(node: TreeNode, refuse: (message: string) => Refusal): Refusal | undefined {
  const names = node['column_names'];
  const name = Array.isArray(names) && names.length === 1 ? folded(names[0]) : '';
  return sessionValues.has(name) ? refuse(`${quoted(name)} is not allowed`) : undefined;
}

function judgeFunction(node: TreeNode, refuse: (message: string) => Refusal): Refusal | undefined {
  const name = folded(node['function_name']);
  // The parser itself writes the schema "main" in front of some functions.
  if (!['', 'main'].includes(folded(node['schema'])) || folded(node['catalog']) !== '')
    return refuse(`the function ${quoted(name)} must be named without a schema`);
  return allowedFunctions.has(name) || allowedTableFunctions.has(name)
    ? undefined
    : refuse(refusalReasons.get(name) ?? `the function ${quoted(name)} is not allowed`);
}

function judgeTable(
  node: TreeNode,
  ctes: ReadonlySet<string>,
  allowed: AllowedTables,
  refuse: (message: string) => Refusal,
): Refusal | undefined {
  const table = folded(node['table_name']);
  const schema = folded(node['schema_name']);
  const known = allowed.tables.includes(table);
  const fits =
    folded(node['catalog_name']) === '' &&
    (schema === '' ? known || (plainName.test(table) && ctes.has(table)) : schema === allowed.database && known);
  if (fits) return undefined;
  const full = [node['catalog_name'], node['schema_name'], node['table_name']]
    .filter((part) => typeof part === 'string' && part !== '')
    .join('.');
  return refuse(`the table ${quoted(full)} is not allowed; there are ${tableNames(allowed)}`);
}

function tableNames({ database, tables }: AllowedTables): string {
  return tables.flatMap((table) => [table, `${database}.${table}`]).join(', ');
}

function byteOffset(node: TreeNode): number | undefined {
  const offset = node['query_location'];
  // 2⁶⁴−1 means "not known".
  return typeof offset === 'number' && Number.isSafeInteger(offset) ? offset : undefined;
}

function folded(value: unknown): string {
  return typeof value === 'string' ? foldName(value) : '';
}

function quoted(name: string): string {
  return `"${name.length > 100 ? `${name.slice(0, 100)}…` : name}"`;
}

import type { Parameter } from '../engines/query-engine.ts';
import { canBeTrue, columnTest, partitionColumnTest, type ConditionFacts } from './partition-condition.ts';
import type { ColumnBounds } from '@millrace/lake';
import { foldName } from './fold.ts';
import { nodesOf, type TreeNode } from './tree-node.ts';

/** A table with partitions that a statement may read. */
export interface PartitionedTable {
  readonly name: string;
  readonly partitionKey: string;
}

/**
 * Returns whether a statement may need rows of the partition with this value. With the smallest and largest values of the columns of one
 * file, it returns whether the statement may need rows of that file.
 */
export type PartitionFilter = (partition: string, bounds?: ColumnBounds) => boolean;

/** The tables that a statement reads, by name, each with the filter of its partitions. */
export type TableReads = ReadonlyMap<string, PartitionFilter>;

/** A condition that every row of a table reference must meet to matter. */
interface Restriction {
  readonly condition: unknown;
  /** Whether an outer join inside the condition's reach may replace the reference's row by NULLs. */
  readonly nullable: boolean;
}

/** A table reference under a FROM clause, with the conditions that restrict its rows. */
interface Reference {
  readonly table: TreeNode;
  nullable: boolean;
  /** Whether conditions further out see the reference; a SEMI or ANTI join hides its right side. */
  visible: boolean;
  readonly restrictions: Restriction[];
}

/** Deeper FROM clauses count as not understood. */
const joinDepthMax = 100;
/** Expressions that are evaluated for one statement, over all partitions: about 50 ms. */
const stepsMax = 500_000;

/**
 * Finds the tables that a statement reads, and which of their partitions. A partition is left out only if no row of it can change
 * the result. A table that is read several times needs the partitions of each reference.
 *
 * Conditions come from WHERE and ON of the SELECT that names the table itself. Other parts are not understood and read every partition.
 *
 * @param statement the tree of one statement
 * @param parameters values of the placeholders
 */
export function tableReads(statement: TreeNode, tables: readonly PartitionedTable[], parameters: readonly Parameter[]): TableReads {
  const known = new Map(tables.map((table) => [foldName(table.name), table]));
  const budget = { steps: stepsMax };
  const understood = new Map<TreeNode, PartitionFilter>();
  const references: TreeNode[] = [];
  for (const node of nodesOf(statement)) {
    if (node['type'] === 'SELECT_NODE')
      for (const [table, filter] of filtersOf(node, known, { parameters, budget })) understood.set(table, filter);
    if (node['type'] === 'BASE_TABLE') references.push(node);
  }

  const reads = new Map<string, PartitionFilter[]>();
  for (const reference of references) {
    const table = known.get(foldName(String(reference['table_name'])));
    if (table === undefined) continue;
    const filters = reads.get(table.name) ?? [];
    filters.push(understood.get(reference) ?? everyPartition);
    reads.set(table.name, filters);
  }
  return new Map([...reads].map(([name, filters]) => [name, (partition, bounds) => filters.some((filter) => filter(partition, bounds))]));
}

type Given = Pick<ConditionFacts, 'parameters' | 'budget'>;

const everyPartition: PartitionFilter = () => true;

/** Filters of the table references in the FROM clause of this SELECT itself. */
function filtersOf(select: TreeNode, known: ReadonlyMap<string, PartitionedTable>, given: Given): Map<TreeNode, PartitionFilter> {
  const filters = new Map<TreeNode, PartitionFilter>();
  const from = select['from_table'] as TreeNode | undefined;
  if (from === undefined) return filters;
  const references = referencesOf(from, 0);
  // USING SAMPLE draws from the rows before WHERE removes any.
  if (references === undefined || isPresent(select['sample'])) return filters;
  if (isPresent(select['where_clause'])) restrict(references, select['where_clause']);

  const aliases = references.map(({ table }) => aliasOf(table));
  const unqualified = !joinsByName(from);
  for (const { table, restrictions } of references) {
    const lakeTable = table['type'] === 'BASE_TABLE' ? known.get(foldName(String(table['table_name']))) : undefined;
    if (lakeTable === undefined || isRenamed(table)) continue;
    const alias = aliasOf(table);
    const unique = aliases.filter((other) => other === alias).length === 1;
    const isPartitionColumn = unique ? partitionColumnTest(lakeTable.partitionKey, alias, unqualified) : (): boolean => false;
    const columnOf = unique ? columnTest(alias, unqualified) : (): undefined => undefined;
    filters.set(table, (partition, bounds) =>
      restrictions.every((restriction) => mayMatter(restriction, { ...given, isPartitionColumn, columnOf, partition, bounds })),
    );
  }
  return filters;
}

/**
 * A row may be left out when the condition cannot be true for it. Without the row, an outer join may make a row of NULLs in its
 * place; the condition must not be true for that one either.
 */
function mayMatter({ condition, nullable }: Restriction, facts: ConditionFacts): boolean {
  return canBeTrue(condition, facts) || (nullable && canBeTrue(condition, { ...facts, partition: null, bounds: undefined }));
}

/** The references under a FROM clause with the conditions of its joins, or undefined when a part of it is not understood. */
function referencesOf(from: TreeNode, depth: number): Reference[] | undefined {
  // A sample is drawn before any condition holds.
  if (depth > joinDepthMax || isPresent(from['sample'])) return undefined;
  if (from['type'] !== 'JOIN') return [{ table: from, nullable: false, visible: true, restrictions: [] }];
  if (!['REGULAR', 'CROSS', 'NATURAL'].includes(String(from['ref_type'])) || (typeof from['alias'] === 'string' && from['alias'] !== ''))
    return undefined;
  const left = referencesOf(from['left'] as TreeNode, depth + 1);
  const right = referencesOf(from['right'] as TreeNode, depth + 1);
  if (left === undefined || right === undefined) return undefined;
  const both = [...left, ...right];
  const restricted: Readonly<Record<string, readonly Reference[]>> = {
    INNER: both,
    SEMI: both,
    LEFT: right,
    ANTI: right,
    RIGHT: left,
    OUTER: [],
  };
  const nullable: Readonly<Record<string, readonly Reference[]>> = {
    INNER: [],
    SEMI: [],
    LEFT: right,
    ANTI: right,
    RIGHT: left,
    OUTER: both,
  };
  const type = String(from['join_type']);
  if (restricted[type] === undefined || nullable[type] === undefined) return undefined;
  if (isPresent(from['condition'])) restrict(restricted[type], from['condition']);
  for (const reference of nullable[type]) reference.nullable = true;
  if (type === 'SEMI' || type === 'ANTI') for (const reference of right) reference.visible = false;
  return both;
}

function restrict(references: readonly Reference[], condition: unknown): void {
  for (const { restrictions, nullable, visible } of references) if (visible) restrictions.push({ condition, nullable });
}

/** Whether a join merges columns of the same name, so that a name alone does not tell the table. */
function joinsByName(from: TreeNode): boolean {
  if (from['type'] !== 'JOIN') return false;
  const names = from['using_columns'];
  return (
    from['ref_type'] === 'NATURAL' ||
    (Array.isArray(names) && names.length > 0) ||
    joinsByName(from['left'] as TreeNode) ||
    joinsByName(from['right'] as TreeNode)
  );
}

function aliasOf(table: TreeNode): string {
  const { alias } = table;
  if (typeof alias === 'string' && alias !== '') return foldName(alias);
  return table['type'] === 'BASE_TABLE' ? foldName(String(table['table_name'])) : '';
}

function isRenamed(table: TreeNode): boolean {
  const names = table['column_name_alias'];
  return Array.isArray(names) && names.length > 0;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

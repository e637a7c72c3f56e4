import type { Stream } from '@millrace/contracts';
import { foldName } from '../statement/fold.ts';
import { offsetOfByte, positionOf } from '../statement/source-position.ts';
import type { StatementText } from '../statement/statement-text.ts';
import { edited, type Edit } from '../statement/text-edits.ts';
import { tokensOf, type Token } from '../statement/tokens.ts';
import { nodesOf, type TreeNode } from '../statement/tree-node.ts';

/** A table that a statement reads from one snapshot of its Iceberg table. */
export interface PinnedTable {
  readonly stream: Stream;
  /** Quoted name of the Iceberg table in the engine. */
  readonly name: string;
  readonly snapshotId: number;
}

/**
 * Writes a statement so that it reads one snapshot of the Iceberg tables in the place of the tables that it names. Each reference becomes a
 * subquery with the declared columns, so that `SELECT *` gives the same columns in both layouts.
 *
 * @param tree the tree of the statement, parsed from its text without edits
 * @param database the database by which a statement may qualify a table
 * @returns undefined when a reference is not understood: a WITH query has the name of a table, or the text differs from the tree
 */
export function icebergStatement(
  statement: StatementText,
  tree: TreeNode,
  database: string,
  tables: readonly PinnedTable[],
): StatementText | undefined {
  const { text } = statement;
  const byName = new Map(tables.map((table) => [foldName(table.stream.table), table]));
  if (namesOfWith(tree).some((name) => byName.has(name))) return undefined;
  const tokens = tokensOf(text);
  const indexAt = new Map(tokens.map((token, index) => [token.at, index]));
  const edits: Edit[] = [];
  const replaced = new Set<number>();
  for (const node of nodesOf(tree)) {
    const table = node['type'] === 'BASE_TABLE' ? byName.get(foldName(String(node['table_name']))) : undefined;
    if (table === undefined) continue;
    const from = indexAt.get(offsetOfByte(text, Number(node['query_location'])));
    const last = from === undefined ? undefined : lastOfName(tokens, from, foldName(table.stream.table));
    if (from === undefined || last === undefined) return undefined;
    for (let index = from; index <= last; index += 1) replaced.add(index);
    const end = tokens[last]!.at + tokens[last]!.text.length;
    const hasAlias = typeof node['alias'] === 'string' && node['alias'] !== '';
    edits.push({
      at: tokens[from]!.at,
      length: end - tokens[from]!.at,
      text: `${subqueryOf(table)}${hasAlias ? '' : ` AS ${tokens[last]!.text}`}`,
    });
  }
  // The alias of a subquery has no database before it.
  for (const [index, token] of tokens.entries()) {
    const [dot, name, next] = tokens.slice(index + 1, index + 4);
    const isQualified = nameOf(token) === foldName(database) && dot?.text === '.' && name !== undefined && byName.has(nameOf(name) ?? '');
    if (isQualified && next?.text === '.' && !replaced.has(index)) edits.push({ at: token.at, length: name.at - token.at, text: '' });
  }
  const { text: written, originalOffset } = edited(text, edits);
  const moved = (offset: number): number =>
    edits.reduce((sum, edit) => (edit.at < offset ? sum + edit.text.length - edit.length : sum), offset);
  return {
    text: written,
    placeholders: statement.placeholders.map(moved),
    // Edits hold no line break, so lines stay.
    columnOf: (line, column) => positionOf(text, originalOffset(offsetAt(written, line, column))).column,
  };
}

function subqueryOf({ stream, name, snapshotId }: PinnedTable): string {
  const columns = [...stream.columns.map((column) => column.name), stream.partitionKey].map((column) => `"${column}"`).join(', ');
  return `(SELECT ${columns} FROM ${name} FOR VERSION AS OF ${snapshotId})`;
}

function namesOfWith(tree: TreeNode): string[] {
  const names: string[] = [];
  for (const node of nodesOf(tree)) {
    const { map } = (node['cte_map'] ?? {}) as { map?: readonly { readonly key?: unknown }[] };
    for (const { key } of map ?? []) names.push(foldName(String(key)));
  }
  return names;
}

/** The index of the last part of a name that begins at `from`, if it is the name of the table. */
function lastOfName(tokens: readonly Token[], from: number, table: string): number | undefined {
  let last = from;
  while (tokens[last + 1]?.text === '.' && tokens[last + 2] !== undefined) last += 2;
  return nameOf(tokens[last]) === table ? last : undefined;
}

function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'word') return foldName(token.text);
  return token?.kind === 'name' ? foldName(token.text.slice(1, -1)) : undefined;
}

/** The offset of a line and a column, both from 1. */
function offsetAt(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return (
    before +
    Array.from(lines[line - 1] ?? '')
      .slice(0, column - 1)
      .join('').length
  );
}

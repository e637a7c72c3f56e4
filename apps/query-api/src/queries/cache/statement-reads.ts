import type { Stream } from '@millrace/contracts';
import type { Parameter } from '../../engines/query-engine.ts';
import type { StatementGate } from '../../statement/statement-gate.ts';
import { tableReads, type TableReads } from '../../statement/table-reads.ts';

/** The tables and partitions that a statement may read; every partition of every table where it cannot be parsed. */
export async function readsOf(
  gate: Pick<StatementGate, 'tree'>,
  streams: readonly Stream[],
  text: string,
  parameters: readonly Parameter[],
): Promise<TableReads> {
  const tables = streams.map(({ table, partitionKey }) => ({ name: table, partitionKey }));
  const tree = await gate.tree(text);
  return tree === undefined ? new Map(tables.map(({ name }) => [name, () => true])) : tableReads(tree, tables, parameters);
}

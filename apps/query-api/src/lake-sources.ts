import type { Stream } from '@millrace/contracts';
import type { DuckDbSources } from './engines/duckdb/duckdb-engine.ts';
import type { ReadRange } from './engines/duckdb/file-reads.ts';
import type { LakeTable } from './engines/duckdb/lake-file.ts';
import { lakeTable, type LakePlaces } from './lake-tables.ts';
import { StatementGate } from './statement/statement-gate.ts';
import { tableReads, type TableReads } from './statement/table-reads.ts';
import type { TreeNode } from './statement/tree-node.ts';

/** Settings of {@link LakeSources}. */
export interface LakeSourcesSettings {
  readonly streams: readonly Stream[];
  readonly places: LakePlaces;
  readonly filesMax: number;
  readonly readRange: ReadRange;
}

/** Finds the files that a statement needs. Lists only the tables that it names, and only the partitions that its conditions allow. */
export class LakeSources implements DuckDbSources {
  readonly readRange: ReadRange;
  readonly #settings: LakeSourcesSettings;
  #parser: Promise<StatementGate> | undefined;

  constructor(settings: LakeSourcesSettings) {
    this.#settings = settings;
    this.readRange = settings.readRange;
  }

  async tables({ statement, parameters, signal }: Parameters<DuckDbSources['tables']>[0]): Promise<readonly LakeTable[]> {
    const { streams, places, filesMax } = this.#settings;
    const tree = await this.#treeOf(statement.text);
    const tables = streams.map(({ table, partitionKey }) => ({ name: table, partitionKey }));
    // The engine refuses a statement that cannot be parsed. Until then it may read everything.
    const reads: TableReads =
      tree === undefined ? new Map(tables.map(({ name }) => [name, () => true])) : tableReads(tree, tables, parameters);
    return await Promise.all(
      streams.flatMap((stream) => {
        const filter = reads.get(stream.table);
        return filter === undefined ? [] : [lakeTable({ stream, filter, filesMax }, places, signal)];
      }),
    );
  }

  async close(): Promise<void> {
    (await this.#parser)?.close();
  }

  async #treeOf(text: string): Promise<TreeNode | undefined> {
    const { streams, places } = this.#settings;
    this.#parser ??= StatementGate.create({ database: places.database, tables: streams.map(({ table }) => table) });
    return await (await this.#parser).tree(text);
  }
}

import type { GlueClient } from '@aws-sdk/client-glue';
import type { LakeView } from '@millrace/testing';
import type { DuckDbLake } from './duckdb-lake.ts';
import { ReaderLoop } from './reader-loop.ts';
import { PyicebergReads, readByApi, readByCatalog, readByPath, type CatalogName, type TableRead } from './table-reads.ts';

/** Places that the readers read. */
export interface LakeReadersOptions {
  readonly apiUrl: string;
  readonly endpoint: string;
  readonly glue: GlueClient;
  readonly view: LakeView;
  readonly duckdb: DuckDbLake;
  readonly table: string;
  readonly inCatalog: CatalogName;
}

/** The readers of the Iceberg table: the query API and three that share no code with it. */
export class LakeReaders {
  /** One read of each, by name. */
  readonly all: Readonly<Record<string, () => Promise<TableRead>>>;
  readonly loops: readonly ReaderLoop[];
  readonly #pyiceberg: PyicebergReads;

  constructor({ apiUrl, endpoint, glue, view, duckdb, table, inCatalog }: LakeReadersOptions) {
    this.#pyiceberg = new PyicebergReads(endpoint);
    const location = `s3://${view.bucket}/_iceberg/${table}`;
    this.all = {
      'query API': async () => await readByApi(apiUrl),
      'DuckDB by catalog': async () => await readByCatalog({ glue, view, duckdb }, inCatalog),
      'DuckDB by path': async () => await readByPath(duckdb, location),
      pyiceberg: async () => await this.#pyiceberg.read(inCatalog),
    };
    // pyiceberg computes its sums in Python, which costs a core for a second or more.
    const everyMs: Readonly<Record<string, number>> = { 'query API': 700, 'DuckDB by catalog': 700, pyiceberg: 5000 };
    this.loops = Object.entries(this.all).map(([name, read]) => new ReaderLoop({ name, read, everyMs: everyMs[name] ?? 2000 }));
  }

  /** Starts the processes of the readers. The first start fetches pyiceberg. */
  async open(): Promise<void> {
    await this.#pyiceberg.open();
  }

  start(): void {
    for (const loop of this.loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map(async (loop) => await loop.stop()));
  }

  async close(): Promise<void> {
    await this.#pyiceberg.close();
  }
}

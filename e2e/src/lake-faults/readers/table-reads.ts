import { GetTableCommand, type GlueClient } from '@aws-sdk/client-glue';
import type { QueryView, ResultPage } from '@millrace/contracts';
import { duckDbSumsSql, PyicebergReader, type DaySums, type LakeView } from '@millrace/testing';
import { patiently, post } from '../../http.ts';
import type { Offsets } from './base-copy.ts';
import type { DuckDbLake } from './duckdb-lake.ts';

/** One answer of a reader. */
export interface TableRead {
  /** Offsets for which the answer must be exact. Undefined when the reader does not name them. */
  readonly offsets?: Offsets;
  readonly days: readonly ReadDay[];
}

/** The sums of one day as far as a reader computes them. */
export type ReadDay = Pick<DaySums, 'dt' | 'rows' | 'places' | 'ages'> & Partial<Pick<DaySums, 'hash'>>;

/** The Iceberg table in the catalog. */
export interface CatalogName {
  readonly database: string;
  readonly name: string;
}

const places = ['kafka_partition', 'kafka_offset'] as const;

/** Reads the snapshot that the catalog names, by DuckDB's extension. The snapshot states its position. */
export async function readByCatalog(
  { glue, view, duckdb }: { readonly glue: GlueClient; readonly view: LakeView; readonly duckdb: DuckDbLake },
  { database, name }: CatalogName,
): Promise<TableRead> {
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: name }));
  const location = Table!.Parameters!['metadata_location']!;
  const metadata = JSON.parse((await view.read(location.slice(`s3://${view.bucket}/`.length))).toString('utf8')) as {
    readonly 'current-snapshot-id': number;
    readonly snapshots: readonly { readonly 'snapshot-id': number; readonly summary: Readonly<Record<string, string>> }[];
  };
  const current = metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === metadata['current-snapshot-id'])!;
  const position = JSON.parse(current.summary['millrace.position']!) as Record<string, number>;
  return {
    offsets: new Map(Object.entries(position).map(([partition, offset]) => [Number(partition), offset])),
    days: await duckdb.rows<DaySums>(duckDbSumsSql(`iceberg_scan('${location}')`, places)),
  };
}

/** Reads the table by the path of its prefix, without a catalog. */
export async function readByPath(duckdb: DuckDbLake, location: string): Promise<TableRead> {
  return { days: await duckdb.rows<DaySums>(duckDbSumsSql(`iceberg_scan('${location}')`, places)) };
}

const countSql = 'SELECT dt, count(*) AS n, count(DISTINCT event_id) AS ids, sum(user_age) AS ages FROM purchases GROUP BY dt ORDER BY dt';

/**
 * Asks the query API, in its default layout.
 *
 * @throws Error when the query fails, or falls back to the base because an object of the Iceberg table is missing
 */
export async function readByApi(apiUrl: string): Promise<TableRead> {
  const { status, body } = await patiently(
    async () =>
      await post<QueryView & { readonly results?: ResultPage }>(
        `${apiUrl}/v1/queries`,
        { sql: countSql, cache: false, timeoutMs: 120_000 },
        { prefer: 'wait=60' },
      ),
  );
  if (body.state !== 'succeeded' || body.results === undefined)
    throw new Error(`the query was answered ${status} as ${body.state}: ${JSON.stringify(body.error)}`);
  const { layout: read, layoutFallback: fallback } = body.statistics ?? {};
  if (fallback !== undefined && fallback !== 'missing') throw new Error(`the query fell back to the base: ${fallback}`);
  const [asOf] = body.asOf ?? [];
  return {
    // The base has no known offsets while its files change.
    ...(read === 'iceberg' && asOf !== undefined ? { offsets: new Map(asOf.offsets.entries()) } : {}),
    days: body.results.rows.map((row) => {
      const [dt, rows, ids, ages] = row.map(String);
      return { dt: dt!, rows: rows!, places: ids!, ages: ages! };
    }),
  };
}

/** Reads by pyiceberg through Glue. A process that ended after a failure is replaced at the next read. */
export class PyicebergReads {
  readonly #endpoint: string;
  #reader: PyicebergReader | undefined;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async open(): Promise<PyicebergReader> {
    this.#reader ??= await PyicebergReader.open(this.#endpoint);
    return this.#reader;
  }

  async read(table: CatalogName): Promise<TableRead> {
    const reader = await this.open();
    try {
      return { days: await reader.sums(table) };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }
}

import { DuckDBInstance } from '@duckdb/node-api';
import { TrinoRun, type TrinoSession } from '@millrace/testing';
import { readS3 } from '../duckdb/read-s3.ts';
import { median } from '../report/figures.ts';

/** Five of the shipped reports, in their SQL. */
export const reports: Readonly<Record<string, string>> = {
  'sales-by-genre':
    'SELECT genre, count(*) AS purchases, count(DISTINCT user_id) AS buyers, round(avg(user_age), 1) AS age FROM purchases GROUP BY genre ORDER BY purchases DESC, genre',
  'sales-by-country':
    'SELECT user_country, count(*) AS purchases, count(DISTINCT user_id) AS buyers FROM purchases GROUP BY user_country ORDER BY purchases DESC, user_country',
  'top-books': 'SELECT book_id, title, count(*) AS sold FROM purchases GROUP BY book_id, title ORDER BY sold DESC, title LIMIT 10',
  'trend-by-day': 'SELECT dt, count(*) AS purchases, count(DISTINCT book_id) AS books FROM purchases GROUP BY dt ORDER BY dt',
  'repeat-buyers':
    'SELECT user_id, count(*) AS purchases FROM purchases GROUP BY user_id HAVING count(*) >= 5 ORDER BY purchases DESC, user_id LIMIT 100',
};

/** Median milliseconds of each report, and its answer. */
export interface ReportTimes {
  readonly ms: ReadonlyMap<string, number>;
  readonly answers: ReadonlyMap<string, string>;
}

/** Runs each report in a DuckDB with two threads that reads the files from S3. A first run of all is not counted. */
export async function timeReports(uris: readonly string[], endpoint: string, rounds: number): Promise<ReportTimes> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  try {
    await readS3(connection, endpoint);
    await connection.run(
      `CREATE VIEW purchases AS FROM read_parquet([${uris.map((uri) => `'${uri}'`).join(', ')}], hive_partitioning = false)`,
    );
    return await timeEach(async (sql) => (await connection.runAndReadAll(sql)).getRowsJson(), rounds);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Runs each report in Trino. A first run of all is not counted. */
export async function timeTrinoReports(session: TrinoSession, table: string, rounds: number): Promise<ReportTimes> {
  return await timeEach(async (sql) => {
    const run = new TrinoRun(sql.replace('FROM purchases ', `FROM ${table} `), session);
    await run.ended;
    if (run.failure !== undefined) throw new Error(`Trino: ${run.failure.message}`);
    return run.rows;
  }, rounds);
}

async function timeEach(run: (sql: string) => Promise<unknown>, rounds: number): Promise<ReportTimes> {
  const times = new Map<string, number[]>();
  const answers = new Map<string, string>();
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, sql] of Object.entries(reports)) {
      const start = performance.now();
      answers.set(name, JSON.stringify(await run(sql)));
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
    }
  }
  return { ms: new Map([...times].map(([name, values]) => [name, median(values)])), answers };
}

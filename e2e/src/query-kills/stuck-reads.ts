import { waitUntil, type FaultProxy } from '@millrace/testing';
import { post } from '../http.ts';
import { quantile } from '../proof/quantile.ts';
import { QueryCrowd } from './query-crowd.ts';

/** Times of a stream of statements on Athena, alone and beside statements of DuckDB that hang on S3. */
export interface StuckReads {
  readonly aloneP99Ms: number;
  readonly besideP99Ms: number;
  /** Statements of DuckDB that still hung when the stream had ended. */
  readonly stillStuck: number;
}

const stuck = 2;
const streams = 2;
const rounds = 30;

export async function besideStuckReads(apiUrl: string, s3: FaultProxy): Promise<StuckReads> {
  // The first statements warm up Trino and the worker.
  await stream(apiUrl, 5);
  const aloneP99Ms = quantile(await stream(apiUrl, rounds), 0.99);
  const fault = await s3.inject({ kind: 'black-hole' }, { when: { method: 'GET', path: /\/purchases\/.*\.parquet/ } });
  try {
    const sql = 'SELECT max(genre) AS genre FROM purchases';
    const crowd = await QueryCrowd.submit(
      apiUrl,
      Array.from({ length: stuck }, () => ({ sql, engine: 'duckdb' as const })),
    );
    const areStuck = async (): Promise<boolean> => {
      await crowd.look();
      return crowd.inState('running') === stuck;
    };
    await waitUntil(`${stuck} statements to hang on S3`, areStuck, { timeoutMs: 120_000, everyMs: 100 });
    const besideP99Ms = quantile(await stream(apiUrl, rounds), 0.99);
    await crowd.look();
    return { aloneP99Ms, besideP99Ms, stillStuck: crowd.inState('running') };
  } finally {
    await fault.clear();
  }
}

/** The times of statements on Athena, two at a time. */
async function stream(apiUrl: string, count: number): Promise<number[]> {
  const times = await Promise.all(
    Array.from({ length: streams }, async () => {
      const own: number[] = [];
      for (let n = 0; n < count; n += 1) {
        const start = performance.now();
        const { body } = await post<{ state: string }>(
          `${apiUrl}/v1/queries`,
          { sql: `SELECT ${n} AS n`, engine: 'athena', cache: false },
          { prefer: 'wait=60' },
        );
        if (body.state !== 'succeeded') throw new Error(`a statement on Athena ended as ${JSON.stringify(body)}`);
        own.push(performance.now() - start);
      }
      return own;
    }),
  );
  return times.flat();
}

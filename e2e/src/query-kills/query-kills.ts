import { setTimeout as pause } from 'node:timers/promises';
import { engineNames, type EngineName } from '@millrace/contracts';
import { FaultProxy, LocalAthena, spawnService, stackPart, waitUntil, type ServiceProcess, withoutShedding } from '@millrace/testing';
import { postBatch, query } from '../http.ts';
import { makePurchases } from '../purchases.ts';
import { stack } from '../stack.ts';
import { QueryCrowd } from './query-crowd.ts';
import { queryKillFailures, type ConcurrentQueries, type FaultAmidQueries, type QueryKillFigures } from './query-kill-failures.ts';
import { killAroundStart } from './start-kills.ts';
import { besideStuckReads } from './stuck-reads.ts';

/** Figures of the proof, and the claims that they do not meet. */
export type QueryKillReport = QueryKillFigures & { readonly failures: readonly string[] };

/** Size of the proof. */
export interface QueryKillOptions {
  /** Workers to kill around the Start call. */
  readonly kills: number;
  /** Queries in the middle of which a fault strikes. */
  readonly queries: number;
  /** Queries that are submitted at once on each engine. */
  readonly concurrent: number;
  readonly trinoUrl: string;
  readonly conditions: string;
  readonly tell: (line: string) => void;
}

const endMsMax = 600_000;

/** Kills query workers, restarts Redis and holds up S3. Runs on the stack of its environment, where no service is up. */
export async function runQueryKills(options: QueryKillOptions): Promise<QueryKillReport> {
  const { trinoUrl, tell } = options;
  let onCall: Parameters<typeof LocalAthena.start>[0]['onCall'];
  const athena = await LocalAthena.start({ trinoUrl, onCall: (operation, moment) => onCall?.(operation, moment) });
  const s3 = await FaultProxy.start({ protocol: 'http', target: stack.awsUrl });
  const env = {
    QUERY_ENGINES: engineNames.join(','),
    TRINO_URL: trinoUrl,
    AWS_ENDPOINT_URL_ATHENA: athena.url,
    QUERY_LOCK_MS: '5000',
    QUERY_ATHENA_POLL_MS_MIN: '50',
    QUERY_ATHENA_POLL_MS_MAX: '500',
    QUERY_DUCKDB_LAYOUT: 'base',
    ...withoutShedding('QUERY'),
  };
  const startWorker = async (more: Record<string, string> = {}): Promise<ServiceProcess> =>
    await spawnService('query-worker', { ...env, ...more });
  try {
    const api = await spawnService('query-api', env);
    const executedTwice = (ids: readonly string[]): number => ids.filter((id) => athena.executionsOf(id) > 1).length;

    const stuckWorker = await startWorker({ AWS_ENDPOINT_URL_S3: s3.url, QUERY_DUCKDB_CACHE_MB: '0', QUERY_DUCKDB_READ_SECONDS: '15' });
    tell('purchases land');
    await landPurchases(api.url);
    tell('two statements hang on S3 beside a stream of statements on Athena');
    const stuckReads = await besideStuckReads(api.url, s3);
    await stuckWorker.kill('SIGKILL');

    const startKills = await killAroundStart(
      options.kills,
      api.url,
      { athena, onCall: (kill) => void (onCall = kill) },
      async () => await startWorker(),
      tell,
    );

    let workers = [await startWorker(), await startWorker()];
    const concurrent: ConcurrentQueries[] = [];
    for (const engine of engineNames) {
      tell(`${options.concurrent} queries at once on ${engine}`);
      concurrent.push(await submitAtOnce(api.url, engine, options.concurrent));
    }

    const amid = async (strike: () => Promise<void>): Promise<FaultAmidQueries> => {
      const crowd = await QueryCrowd.submit(api.url, statements(options.queries));
      await crowd.untilEnded(Math.floor(options.queries / 10), endMsMax);
      const endedBefore = await crowd.look();
      await strike();
      await crowd.untilEnded(options.queries, endMsMax);
      return { queries: options.queries, endedBefore, ends: crowd.ends(), executedTwice: executedTwice(crowd.ids) };
    };
    tell(`all workers are killed in the middle of ${options.queries} queries`);
    const allWorkersKilled = await amid(async () => {
      await Promise.all(workers.map(async (worker) => await worker.kill('SIGKILL')));
      workers = [await startWorker(), await startWorker()];
    });
    tell(`Redis is restarted in the middle of ${options.queries} queries`);
    const redis = stackPart('redis');
    const redisRestarted = await amid(async () => {
      await redis.signal('SIGKILL');
      await pause(2000);
      await redis.start();
    });
    await Promise.all([...workers, api].map(async (service) => await service.kill()));
    const figures = { startKills, allWorkersKilled, redisRestarted, concurrent, stuckReads };
    return { conditions: options.conditions, ...figures, failures: queryKillFailures(figures) };
  } finally {
    await s3.close();
    await athena.close();
  }
}

/** Lets some purchases land, so that the table has files. */
async function landPurchases(apiUrl: string): Promise<void> {
  const purchase = await spawnService('purchase');
  const sink = await spawnService('sink', { SINK_FLUSH_SECONDS: '1' });
  await postBatch(makePurchases(500), purchase.url);
  const sql = 'SELECT count(*) AS n FROM purchases';
  await waitUntil('the purchases in the table', async () => Number((await query({ sql, cache: false }, apiUrl)).rows[0]?.[0]) >= 500, {
    timeoutMs: 120_000,
    everyMs: 500,
  });
  await Promise.all([purchase, sink].map(async (service) => await service.kill()));
}

/** Statements of some hundred milliseconds, two thirds of them on DuckDB and one third on Athena. */
function statements(count: number): { readonly sql: string; readonly engine: EngineName }[] {
  return Array.from({ length: count }, (_, n) =>
    n % 3 === 0
      ? {
          sql: `SELECT count(*) + ${n} AS n FROM UNNEST(sequence(1, 1000)) a(x), UNNEST(sequence(1, 3000)) b(y) WHERE x * y % 7 = 1`,
          engine: 'athena',
        }
      : { sql: `SELECT count(*) + ${n} AS n FROM range(5000000) a(x), range(5) b(y) WHERE a.x % 7 = b.y`, engine: 'duckdb' },
  );
}

async function submitAtOnce(apiUrl: string, engine: EngineName, count: number): Promise<ConcurrentQueries> {
  const start = performance.now();
  const crowd = await QueryCrowd.submit(
    apiUrl,
    Array.from({ length: count }, (_, n) => ({ sql: `SELECT count(*) + ${n} AS n FROM purchases`, engine })),
  );
  await crowd.untilEnded(count, endMsMax);
  return { engine, queries: count, ends: crowd.ends(), seconds: Math.round((performance.now() - start) / 100) / 10 };
}

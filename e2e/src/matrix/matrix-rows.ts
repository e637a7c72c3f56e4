import assert from 'node:assert/strict';
import type { Fault, FaultProxy, InjectOptions } from '@millrace/testing';
import { Claims, eventually, failsFast, isDegraded, isRefused, isUnready, type Circuit } from './claims.ts';
import type { MatrixStack } from './matrix-stack.ts';
import type { MatrixTraffic } from './matrix-traffic.ts';
import type { PacedCalls } from './pace.ts';
import { slowStoreMs } from './short-settings.ts';
import type { WatchedService } from './watched-service.ts';

/** A dependency, the requests that need it, and the documented behaviour while it is down. */
export interface MatrixRow {
  readonly proxy: FaultProxy;
  /** Requests that the fault affects. Default: all. */
  readonly when?: InjectOptions['when'];
  /** Its failed answer. */
  readonly failure: Fault;
  /** Latency when it is slow, in milliseconds. Default: that of an attempt which ends in time and is too slow for the breaker. */
  readonly latencyMs?: number;
  /** Circuits that must open. */
  readonly circuits: readonly Circuit[];
  /** Names of the pipelines that meet the trouble; circuits of all others must stay closed. */
  readonly troubled: readonly string[];
  /** Repeats the requests that need the dependency. */
  readonly users: readonly (() => Promise<unknown>)[];
  /** The documented behaviour while the circuits are open. */
  readonly behaves: () => Promise<void>;
  /** Requests that do not need it, by their purpose. Each must be answered, and as fast as before. */
  readonly spared: PacedCalls;
  /** Longer work that does not need it, and must come to its end. */
  readonly goesOn: () => Promise<void>;
  /** Resolves when the requests that need the dependency succeed. */
  readonly works: () => Promise<void>;
}

/** Dependencies of the matrix, in the order of its rows. */
export const dependencies = ['Kafka', 'Redis', 'S3', 'Glue', 'Athena', "DuckDB's S3 reads"] as const;

/** Parts that the rows use. */
export interface MatrixCast {
  readonly stack: MatrixStack;
  readonly traffic: MatrixTraffic;
  /** A query that has succeeded. */
  readonly finishedQuery: string;
  /** A sink that was started while Kafka was in trouble, when there is one. */
  readonly lateSink: WatchedService | undefined;
}

/** The rows of the matrix, over a running stack. */
export function matrixRows({
  stack,
  traffic,
  finishedQuery,
  lateSink,
}: MatrixCast): Readonly<Record<(typeof dependencies)[number], MatrixRow>> {
  const { proxies, purchase, sink, queryApi, queryWorker } = stack;
  const claims = new Claims(stack, traffic);
  const tables = { 'the tables': async () => await claims.reads('/v1/tables') };
  const reports = { 'the reports': async () => await claims.reads('/v1/reports') };
  const state = { 'the state of a query': async () => await claims.reads(`/v1/queries/${finishedQuery}`) };
  const buys = { 'a purchase': async () => await claims.buys() };
  return {
    Kafka: {
      proxy: proxies.kafka,
      failure: { kind: 'refuse' },
      circuits: [[purchase, 'kafka'], ...(lateSink === undefined ? [] : [[lateSink, 'kafka'] as const])],
      troubled: ['kafka'],
      users: several(2, async () => await traffic.buy()),
      async behaves() {
        isRefused(await traffic.buy());
        await isUnready(purchase);
        // A sink that starts meanwhile is up, waits for Kafka, and says so.
        if (lateSink !== undefined) await isUnready(lateSink);
      },
      spared: { ...tables, ...reports, ...state },
      async goesOn() {
        await Promise.all([claims.answers('duckdb'), claims.answers('athena')]);
      },
      works: async () => await claims.lands(),
    },
    Redis: {
      proxy: proxies.redis,
      failure: { kind: 'refuse' },
      circuits: [
        [queryApi, 'redis'],
        [queryWorker, 'redis'],
      ],
      troubled: ['redis', 'usage-read'],
      users: several(3, async () => await claims.reads(`/v1/queries/${finishedQuery}`)),
      async behaves() {
        await failsFast([queryApi, 'redis'], async () => isRefused(await traffic.submit('duckdb')));
        await Promise.all([queryApi, queryWorker].map(isUnready));
        await claims.reportsLackUsage();
      },
      spared: { ...buys, ...tables, ...reports },
      goesOn: async () => await claims.lands(),
      works: async () => await claims.answers('duckdb'),
    },
    S3: {
      proxy: proxies.s3,
      failure: { kind: 'status', status: 503 },
      latencyMs: slowStoreMs,
      circuits: [
        [sink, 's3'],
        [queryApi, 's3'],
        [queryWorker, 's3'],
      ],
      troubled: ['s3', 'duckdb-reads'],
      users: [
        ...['user-1', 'user-2', 'user-3'].map((userId) => async () => await traffic.buy({ userId })),
        ...several(3, async () => await traffic.results(finishedQuery)),
        ...several(3, async () => await traffic.query('athena')),
      ],
      async behaves() {
        // Acknowledged events wait on the sink's disk. The sink stays in its group and takes more events.
        assert.ok((await sink.metric('millrace_sink_spool_bytes')) > 0, 'nothing is in the spool');
        await isDegraded(sink);
        await failsFast([queryApi, 's3'], async () => isRefused(await traffic.results(finishedQuery)));
        await Promise.all([claims.cannotAnswer('athena'), claims.reportIsStale()]);
      },
      spared: { ...buys, ...tables, ...state },
      goesOn: async () => assert.equal((await purchase.ready()).status, 'ready'),
      async works() {
        await Promise.all([
          claims.lands(),
          claims.reads(`/v1/queries/${finishedQuery}/results`),
          claims.answers('athena'),
          claims.reportIsFresh(),
        ]);
      },
    },
    Glue: {
      proxy: proxies.glue,
      failure: { kind: 'status', status: 500 },
      circuits: [
        [sink, 'glue'],
        [queryWorker, 'glue'],
      ],
      troubled: ['glue'],
      users: [async () => await traffic.buyNewDay(), ...several(3, async () => await traffic.query('duckdb'))],
      async behaves() {
        await failsFast([queryWorker, 'glue'], async () => await claims.cannotAnswer('duckdb'));
        await claims.reportIsStale();
        await isDegraded(sink);
      },
      spared: { ...buys, ...tables, ...state },
      async goesOn() {
        // The catalog is off the path of durability.
        await Promise.all([claims.lands(), claims.answers('athena')]);
      },
      async works() {
        await claims.reportIsFresh();
        await eventually('the sink to have its catalog', async () => assert.equal((await sink.ready()).status, 'ready'));
      },
    },
    Athena: {
      proxy: proxies.athena,
      failure: { kind: 'status', status: 500 },
      circuits: [[queryWorker, 'athena']],
      troubled: ['athena'],
      users: several(3, async () => await traffic.query('athena')),
      async behaves() {
        await failsFast([queryWorker, 'athena'], async () => await claims.cannotAnswer('athena'));
        // It is not the default engine, so the worker continues without it.
        await isDegraded(queryWorker);
      },
      spared: { ...buys, ...tables, ...state },
      async goesOn() {
        await Promise.all([claims.reportIsFresh(), claims.lands()]);
      },
      works: async () => await claims.answers('athena'),
    },
    "DuckDB's S3 reads": {
      proxy: proxies.s3,
      // The worker alone reads parts of files.
      when: { method: 'GET', path: /\.parquet/, where: ({ headers }) => headers?.['range'] !== undefined },
      failure: { kind: 'status', status: 503 },
      latencyMs: slowStoreMs,
      circuits: [[queryWorker, 'duckdb-reads']],
      troubled: ['duckdb-reads'],
      users: several(3, async () => await traffic.query('duckdb')),
      async behaves() {
        await failsFast([queryWorker, 'duckdb-reads'], async () => await claims.cannotAnswer('duckdb'));
        await claims.reportIsStale();
      },
      spared: { ...buys, ...tables, ...state },
      async goesOn() {
        await Promise.all([claims.lands(), claims.answers('athena')]);
      },
      works: async () => await claims.reportIsFresh(),
    },
  };
}

function several(count: number, ask: () => Promise<unknown>): (() => Promise<unknown>)[] {
  return Array.from({ length: count }, () => ask);
}

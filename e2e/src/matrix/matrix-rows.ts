import { waitUntil, type Fault, type FaultProxy, type InjectOptions } from '@millrace/testing';
import { expect } from 'vitest';
import { ask } from '../http.ts';
import type { MatrixStack } from './matrix-stack.ts';
import type { MatrixTraffic } from './matrix-traffic.ts';
import { slowAnswerMs } from './short-settings.ts';
import type { WatchedService } from './watched-service.ts';

/** How long anything may take on a machine that is busy with other things; nothing waits that long by itself. */
export const patience = { timeoutMs: 60_000, everyMs: 250 };

/** A circuit of a service. */
export type Circuit = readonly [service: WatchedService, pipeline: string];

/** A dependency, who needs it and what is documented for its absence. */
export interface MatrixRow {
  readonly proxy: FaultProxy;
  /** Which requests are in trouble. Default: all. */
  readonly when?: InjectOptions['when'];
  /** Its failed answer. */
  readonly failure: Fault;
  /** How late it is when it is slow, in milliseconds. */
  readonly slowMs: number;
  /** Circuits that must open. */
  readonly circuits: readonly Circuit[];
  /** Every pipeline that meets the trouble; circuits of all others must stay closed. */
  readonly troubled: readonly string[];
  /** Who asks for what needs the dependency, again and again, as its users would. */
  readonly users: readonly (() => Promise<unknown>)[];
  /** What is documented while the circuits are open. */
  readonly behaves: () => Promise<void>;
  /** Calls that do not need it; each must be answered as ever, and soon. */
  readonly spared: readonly (() => Promise<unknown>)[];
  /** Longer work that does not need it, and must come to its end. */
  readonly goesOn: () => Promise<void>;
  /** What needs the dependency works. */
  readonly works: () => Promise<void>;
}

const unavailable = 'urn:millrace:problem:unavailable';

/** The rows of the matrix, over a running stack. */
export function matrixRows(stack: MatrixStack, traffic: MatrixTraffic, lateSink: WatchedService | undefined, finishedQuery: string) {
  const { proxies, purchase, sink, queryApi, queryWorker } = stack;
  const get = (path: string) => async () => expect((await ask(`${queryApi.url}${path}`)).status).toBe(200);
  const buys = async (): Promise<void> => expect((await traffic.buy()).status).toBe(202);
  const lands = async (): Promise<void> => {
    await buys();
    await traffic.landed(patience.timeoutMs);
  };
  const answers = (engine: 'duckdb' | 'athena') => async () => expect(await traffic.query(engine)).toMatchObject({ state: 'succeeded' });
  /** A refusal that costs nobody a wait: the circuit gives it, and the client is told when to come again. */
  const failsFast = async (service: WatchedService, pipeline: string, asked: () => Promise<unknown>): Promise<void> => {
    const before = (await service.refusals()).get(pipeline) ?? 0;
    await asked();
    expect((await service.refusals()).get(pipeline) ?? 0).toBeGreaterThan(before);
  };
  const refusedWithRetryAfter = ({ status, body, headers }: { status: number; body: { type?: string }; headers: Headers }): void => {
    expect({ status, type: body.type }).toEqual({ status: 503, type: unavailable });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  };
  const failsAsUnavailable = async (engine: 'duckdb' | 'athena'): Promise<void> => expect(await traffic.query(engine)).toMatchObject({ state: 'failed', error: { type: unavailable } });
  const reportIsStale = async (): Promise<void> => expect(await traffic.report()).toMatchObject({ state: 'succeeded', stale: { ageSeconds: expect.any(Number) as number } });
  const reportIsFresh = async (): Promise<void> => {
    const end = await traffic.report();
    expect([end.state, 'stale' in end ? end.stale : undefined]).toEqual(['succeeded', undefined]);
  };
  const degraded = async (service: WatchedService): Promise<void> => expect(await service.ready()).toMatchObject({ httpStatus: 200, status: 'degraded' });
  const unready = async (service: WatchedService): Promise<void> => expect(await service.ready()).toMatchObject({ httpStatus: 503, status: 'unavailable' });

  return {
    Kafka: {
      proxy: proxies.kafka,
      failure: { kind: 'refuse' },
      slowMs: slowAnswerMs,
      circuits: [[purchase, 'kafka'], ...(lateSink === undefined ? [] : [[lateSink, 'kafka'] as const])],
      troubled: ['kafka'],
      users: [async () => await traffic.buy()],
      behaves: async () => {
        refusedWithRetryAfter(await traffic.buy());
        await unready(purchase);
        // A sink that starts meanwhile waits for it, and says so.
        if (lateSink !== undefined) await unready(lateSink);
      },
      spared: [get('/v1/tables'), get('/v1/reports'), get(`/v1/queries/${finishedQuery}`)],
      goesOn: async () => {
        await answers('duckdb')();
        await answers('athena')();
      },
      works: lands,
    },
    Redis: {
      proxy: proxies.redis,
      failure: { kind: 'refuse' },
      slowMs: slowAnswerMs,
      circuits: [
        [queryApi, 'redis'],
        [queryWorker, 'redis'],
      ],
      troubled: ['redis', 'usage-read', 'usage-write'],
      users: Array.from({ length: 2 }, () => async () => await ask(`${queryApi.url}/v1/queries/${finishedQuery}`)),
      behaves: async () => {
        await failsFast(queryApi, 'redis', async () => {
          const end = await traffic.query('duckdb');
          expect(end.state).toBe('refused');
          if ('answer' in end) refusedWithRetryAfter(end.answer);
        });
        await unready(queryApi);
      },
      // How often a report was asked for is left out of the list; the list stands.
      spared: [buys, get('/v1/tables'), get('/v1/engines')],
      goesOn: async () => {
        const { status, body } = await ask<{ reports: unknown[] }>(`${queryApi.url}/v1/reports`);
        expect({ status, body }).toMatchObject({ status: 200, body: { reports: [{ name: 'sales-by-genre' }] } });
        await lands();
      },
      works: answers('duckdb'),
    },
    S3: {
      proxy: proxies.s3,
      failure: { kind: 'status', status: 503 },
      slowMs: slowAnswerMs,
      circuits: [
        [sink, 's3'],
        [queryApi, 's3'],
        [queryWorker, 's3'],
      ],
      troubled: ['s3', 'duckdb-reads'],
      users: [
        ...Array.from({ length: 3 }, (_, n) => async () => await traffic.buy({ userId: `user-${n}` })),
        ...Array.from({ length: 3 }, () => async () => await traffic.results(finishedQuery)),
        ...Array.from({ length: 3 }, () => async () => await traffic.query('athena')),
      ],
      behaves: async () => {
        // Queued: what is acknowledged waits on the sink's disk, and the sink keeps its place in the group and takes more.
        await buys();
        expect(await sink.metric('millrace_sink_spool_bytes')).toBeGreaterThan(0);
        await degraded(sink);
        await failsFast(queryApi, 's3', async () => refusedWithRetryAfter(await traffic.results(finishedQuery)));
        await failsAsUnavailable('athena');
        await reportIsStale();
      },
      spared: [buys, get('/v1/tables'), get(`/v1/queries/${finishedQuery}`)],
      goesOn: async () => expect(await purchase.ready()).toMatchObject({ status: 'ready' }),
      works: async () => {
        await lands();
        expect((await traffic.results(finishedQuery)).status).toBe(200);
        await answers('athena')();
        await reportIsFresh();
      },
    },
    Glue: {
      proxy: proxies.glue,
      failure: { kind: 'status', status: 403 },
      slowMs: slowAnswerMs,
      circuits: [
        [sink, 'glue'],
        [queryWorker, 'glue'],
      ],
      troubled: ['glue'],
      users: [async () => await traffic.buy({ newDay: true }), ...Array.from({ length: 3 }, () => async () => await traffic.query('duckdb'))],
      behaves: async () => {
        await failsFast(queryWorker, 'glue', async () => await failsAsUnavailable('duckdb'));
        await reportIsStale();
        await degraded(sink);
      },
      spared: [buys, get('/v1/tables'), get(`/v1/queries/${finishedQuery}`)],
      goesOn: async () => {
        // The catalog is off the path of durability.
        await lands();
        await answers('athena')();
      },
      works: async () => {
        await answers('duckdb')();
        await reportIsFresh();
        await waitUntil('every day to be registered', async () => (await sink.ready()).status === 'ready', patience);
      },
    },
    Athena: {
      proxy: proxies.athena,
      failure: { kind: 'status', status: 500 },
      slowMs: slowAnswerMs,
      circuits: [[queryWorker, 'athena']],
      troubled: ['athena'],
      users: Array.from({ length: 3 }, () => async () => await traffic.query('athena')),
      behaves: async () => {
        await failsFast(queryWorker, 'athena', async () => await failsAsUnavailable('athena'));
        // It is not the default engine: the worker goes on without it.
        await degraded(queryWorker);
      },
      spared: [buys, get('/v1/tables'), get(`/v1/queries/${finishedQuery}`)],
      goesOn: async () => {
        await answers('duckdb')();
        await reportIsFresh();
        await lands();
      },
      works: answers('athena'),
    },
    "DuckDB's S3 reads": {
      proxy: proxies.s3,
      when: { method: ['GET', 'HEAD'], path: /\.parquet$/, where: ({ headers }) => !String(headers?.['user-agent']).includes('aws-sdk') },
      failure: { kind: 'status', status: 403 },
      slowMs: slowAnswerMs,
      circuits: [[queryWorker, 'duckdb-reads']],
      troubled: ['duckdb-reads'],
      users: Array.from({ length: 3 }, () => async () => await traffic.query('duckdb')),
      behaves: async () => {
        await failsFast(queryWorker, 'duckdb-reads', async () => await failsAsUnavailable('duckdb'));
        await reportIsStale();
      },
      spared: [buys, get('/v1/tables'), get(`/v1/queries/${finishedQuery}`)],
      goesOn: async () => {
        await lands();
        await answers('athena')();
      },
      works: async () => {
        await answers('duckdb')();
        await reportIsFresh();
      },
    },
  } as const satisfies Record<string, MatrixRow>;
}

/** A dependency of the matrix. */
export type MatrixDependency = keyof ReturnType<typeof matrixRows>;

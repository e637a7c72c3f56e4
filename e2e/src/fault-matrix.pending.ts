import { checkLake, waitUntil, type Fault, type FaultProxy, type InjectOptions } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './http.ts';
import { startMatrixStack, type MatrixStack } from './matrix/matrix-stack.ts';
import { MatrixTraffic } from './matrix/matrix-traffic.ts';
import { slowAnswerMs } from './matrix/short-settings.ts';
import type { WatchedService } from './matrix/watched-service.ts';
import { stack } from './stack.ts';

let matrix: MatrixStack;
let traffic: MatrixTraffic;

beforeAll(async () => {
  matrix = await startMatrixStack();
  traffic = new MatrixTraffic(matrix);
});
afterAll(async () => await matrix?.close());

type Trouble = 'gives no answer' | 'fails' | 'is slow';
const troubles: readonly Trouble[] = ['gives no answer', 'fails', 'is slow'];

/** A dependency, who needs it and what is documented for its absence. */
interface Row {
  readonly dependency: string;
  readonly proxy: () => FaultProxy;
  /** Which requests are in trouble. Default: all. */
  readonly when?: InjectOptions['when'];
  readonly failure: Fault;
  /** Circuits that must open. */
  readonly circuits: () => readonly (readonly [service: WatchedService, pipeline: string])[];
  /** Asks for something that needs the dependency. */
  readonly provoke: () => Promise<unknown>;
  /** What is documented while the circuit is open. */
  readonly behaves: () => Promise<void>;
  /** What does not need the dependency works as ever. */
  readonly spares: () => Promise<void>;
  /** What needs it works. */
  readonly works: () => Promise<void>;
}

const internalError: Fault = { kind: 'status', status: 500 };

const rows: readonly Row[] = [
  {
    dependency: 'Kafka',
    proxy: () => matrix.proxies.kafka,
    when: { api: ['Produce', 'Metadata', 'ApiVersions', 'InitProducerId'] },
    failure: { kind: 'reset' },
    circuits: () => [[matrix.purchase, 'kafka']],
    provoke: async () => await traffic.buy(),
    behaves: async () => {
      const { status, body, headers } = await traffic.buy();
      expect({ status, type: body.type }).toEqual({ status: 503, type: 'urn:millrace:problem:unavailable' });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    },
    spares: async () => expect((await traffic.query('duckdb')).state).toBe('succeeded'),
    works: async () => expect((await traffic.buy()).status).toBe(202),
  },
  {
    dependency: 'Redis',
    proxy: () => matrix.proxies.redis,
    failure: { kind: 'refuse' },
    circuits: () => [[matrix.queryApi, 'redis']],
    provoke: async () => await traffic.query('duckdb').catch(() => undefined),
    behaves: async () => {
      const end = await traffic.query('duckdb');
      expect(end).toMatchObject({ state: 'refused', answer: { status: 503, body: { type: 'urn:millrace:problem:unavailable' } } });
    },
    spares: async () => {
      expect((await traffic.buy()).status).toBe(202);
      for (const path of ['tables', 'reports', 'engines']) expect((await ask(`${matrix.queryApi.url}/v1/${path}`)).status).toBe(200);
    },
    works: async () => expect((await traffic.query('duckdb')).state).toBe('succeeded'),
  },
  {
    dependency: 'S3',
    proxy: () => matrix.proxies.s3,
    failure: internalError,
    circuits: () => [
      [matrix.sink, 's3'],
      [matrix.queryWorker, 's3'],
    ],
    provoke: async () => await Promise.all([traffic.buy(), traffic.query('athena')]),
    behaves: async () => {
      // Queued: what is acknowledged waits on the sink's disk, and the sink keeps its place in the group.
      await waitUntil('batches in the spool', async () => (await matrix.sink.metric('millrace_sink_spool_bytes')) > 0);
      expect((await matrix.sink.ready()).down).not.toContain('kafka');
      expect((await traffic.query('athena')).state).toBe('failed');
    },
    spares: async () => {
      expect((await traffic.buy()).status).toBe(202);
      expect((await matrix.purchase.ready()).status).toBe('ready');
    },
    works: async () => {
      await everythingLands();
      expect((await traffic.query('athena')).state).toBe('succeeded');
    },
  },
  {
    dependency: 'Glue',
    proxy: () => matrix.proxies.glue,
    failure: internalError,
    circuits: () => [
      [matrix.sink, 'glue'],
      [matrix.queryWorker, 'glue'],
    ],
    provoke: async () => await Promise.all([traffic.buy(), traffic.query('duckdb')]),
    behaves: async () => expect((await traffic.query('duckdb')).state).toBe('failed'),
    spares: async () => {
      // The catalog is off the path of durability.
      expect((await traffic.buy()).status).toBe(202);
      await everythingLands();
      expect((await traffic.query('athena')).state).toBe('succeeded');
    },
    works: async () => {
      expect((await traffic.query('duckdb')).state).toBe('succeeded');
      await waitUntil('every day to be registered', async () => {
        const { page } = (await traffic.query('duckdb')) as { page?: { rows: readonly (readonly unknown[])[] } };
        return Number(page?.rows[0]?.[0]) >= traffic.acknowledged.size;
      });
    },
  },
  {
    dependency: 'Athena',
    proxy: () => matrix.proxies.athena,
    failure: internalError,
    circuits: () => [[matrix.queryWorker, 'athena']],
    provoke: async () => await traffic.query('athena'),
    behaves: async () => expect((await traffic.query('athena')).state).toBe('failed'),
    spares: async () => expect((await traffic.query('duckdb')).state).toBe('succeeded'),
    works: async () => expect((await traffic.query('athena')).state).toBe('succeeded'),
  },
  {
    dependency: "DuckDB's S3 reads",
    proxy: () => matrix.proxies.s3,
    when: { method: ['GET', 'HEAD'], path: /\.parquet$/, where: ({ headers }) => !String(headers?.['user-agent']).includes('aws-sdk') },
    failure: internalError,
    circuits: () => [[matrix.queryWorker, 'duckdb']],
    provoke: async () => await traffic.query('duckdb'),
    behaves: async () => expect((await traffic.query('duckdb')).state).toBe('failed'),
    spares: async () => {
      expect((await traffic.buy()).status).toBe(202);
      await everythingLands();
      expect((await traffic.query('athena')).state).toBe('succeeded');
    },
    works: async () => expect((await traffic.query('duckdb')).state).toBe('succeeded'),
  },
];

/** Waits until every acknowledged purchase is in the table. */
async function everythingLands(): Promise<void> {
  const expected = traffic.acknowledged.size;
  await waitUntil(`${expected} rows to have landed`, async () => (await checkLake({ endpoint: stack.awsUrl, bucket: matrix.bucket, table: stack.table })).rows >= expected, { timeoutMs: 60_000, everyMs: 500 });
}

/** Pipelines of all services that are not in trouble, and how many calls they have refused so far. */
async function refusals(except: readonly (readonly [WatchedService, string])[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const service of [matrix.purchase, matrix.sink, matrix.queryApi, matrix.queryWorker]) {
    for (const pipeline of (await service.circuits()).keys()) {
      if (except.some(([inTrouble, name]) => inTrouble === service && name === pipeline)) continue;
      counts[`${service.service.name} ${pipeline}`] = await service.metric('millrace_pipeline_rejections_total', { pipeline });
    }
  }
  return counts;
}

describe.each(rows)('when $dependency', (row) => {
  it.each(troubles)('%s, its circuits open, users get what is documented, everything else goes on, and the circuits close by themselves', async (trouble) => {
    await row.works();
    const before = await refusals(row.circuits());
    const fault: Fault = { 'gives no answer': { kind: 'black-hole' } as const, fails: row.failure, 'is slow': { kind: 'slow', latencyMs: slowAnswerMs } as const }[trouble];
    const active = await row.proxy().inject(fault, fault.kind === 'refuse' || row.when === undefined ? {} : { when: row.when });
    try {
      for (const [service, pipeline] of row.circuits()) {
        await waitUntil(`the circuit ${pipeline} of ${service.service.name} to be shown open everywhere`, async () => {
          await row.provoke();
          const shown = await service.circuit(pipeline);
          return shown.metrics === 'open' && shown.ready === 'down' && shown.hystrix === 'open';
        }, { timeoutMs: 60_000 });
      }
      // Slow answers are still answers: until the circuit opens, and from each of its probes.
      if (trouble !== 'is slow') await row.behaves();
      await row.spares();
      expect(await refusals(row.circuits())).toEqual(before);
    } finally {
      await active.clear();
    }
    for (const [service, pipeline] of row.circuits()) {
      await waitUntil(`the circuit ${pipeline} of ${service.service.name} to close`, async () => {
        await row.provoke();
        const shown = await service.circuit(pipeline);
        return shown.metrics === 'closed' && shown.ready === 'up' && shown.hystrix === 'closed';
      }, { timeoutMs: 60_000 });
    }
    await row.works();
  });
});

it('after all that, every acknowledged purchase stands in the table exactly once', async () => {
  await everythingLands();
  const check = await checkLake({ endpoint: stack.awsUrl, bucket: matrix.bucket, table: stack.table });
  expect(check.faults).toEqual([]);
  expect([...traffic.acknowledged].filter((id) => !check.eventIds.has(id))).toEqual([]);
  expect(traffic.acknowledged.size).toBeGreaterThan(rows.length);
});

import type { EngineName, LayoutName } from '@millrace/contracts';
import { icebergTableName, metadataPrefix } from '@millrace/lake';
import { GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { LocalAthena, waitUntil } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { openTestLake, testEnvironment, testParts, type TestLake, type TestPurchase } from './testing-lake.ts';

const december = 1_575_158_400;
const day = 86_400;
const count = 'SELECT count(*) AS n, count(DISTINCT event_id) AS ids, coalesce(sum(user_age), 0) AS ages FROM purchases';

let lake: TestLake;
let api: RunningService;
let worker: RunningService;
/** Athena over Trino, where there is one. */
let athena: LocalAthena | undefined;
/** Rows that have landed. Batches land one after the other, so that a row's number is its offset. */
let landed = 0;

interface Answer {
  readonly status: number;
  readonly cache: string | null;
  readonly body: {
    readonly state: string;
    readonly links: { readonly self: string };
    readonly results?: { readonly rows: readonly (readonly unknown[])[] };
    readonly statistics?: { readonly layout?: LayoutName; readonly layoutFallback?: string; readonly files?: number };
    readonly asOf?: readonly { readonly offsets: readonly number[] }[];
    readonly error?: { readonly type: string };
    readonly errors?: readonly { readonly field: string }[];
  };
}

interface Ask {
  readonly sql?: string;
  readonly engine?: EngineName;
  readonly layout?: LayoutName;
  readonly waitFor?: unknown;
  readonly wait?: number;
  readonly cache?: boolean;
}

async function ask({ sql = count, wait = 60, cache = false, ...more }: Ask = {}): Promise<Answer> {
  const response = await fetch(`${api.url}/v1/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: `wait=${wait}` },
    body: JSON.stringify({ sql, cache, timeoutMs: 120_000, ...more }),
  });
  return { status: response.status, cache: response.headers.get('x-cache'), body: (await response.json()) as Answer['body'] };
}

async function land(rows: number, more: Partial<TestPurchase> = {}): Promise<void> {
  const batch = Array.from({ length: rows }, (_, n): TestPurchase => ({
    genre: 'Fiction',
    userId: `user-${n}`,
    userAge: 1,
    purchaseTimestamp: december + ((landed + n) % 2) * day + landed,
    ...more,
  }));
  await lake.landBatch(batch);
  landed += rows;
}

/** The counts of an answer, which must be one for each event up to its offset. */
function rowsOf({ body }: Answer): number {
  expect(body).toMatchObject({ state: 'succeeded' });
  const [n, ids, ages] = body.results!.rows[0]!.map(Number);
  expect([ids, ages]).toEqual([n, n]);
  return n!;
}

beforeAll(async () => {
  lake = await openTestLake();
  if (testParts.trinoUrl !== undefined) athena = await LocalAthena.start({ trinoUrl: testParts.trinoUrl });
  const engines = { QUERY_ENGINES: `duckdb,athena${testParts.trinoUrl === undefined ? '' : ',trino'}` };
  const config = readQueryConfig(
    testEnvironment(lake, {
      ...engines,
      ...(testParts.trinoUrl === undefined ? {} : { TRINO_URL: testParts.trinoUrl, AWS_ENDPOINT_URL_ATHENA: athena!.url }),
      LOG_LEVEL: 'error',
      QUERY_LAKE_VERSION_ATTEMPT_TIMEOUT_MS: '20000',
      QUERY_LAKE_VERSION_TOTAL_TIMEOUT_MS: '20000',
      QUERY_CACHE_ATTEMPT_TIMEOUT_MS: '20000',
      QUERY_CACHE_TOTAL_TIMEOUT_MS: '20000',
    }),
  );
  const logger = createLogger({ name: 'query', level: 'error' });
  [api, worker] = await Promise.all([
    startService({ name: 'query-api', module: QueryApiModule.of(config, logger), port: 0, logger }),
    startService({ name: 'query-worker', module: QueryWorkerModule.of(config, logger), port: 0, logger }),
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all([api?.close(), worker?.close()]);
  await athena?.close();
  await lake?.close();
});

describe('layouts on DuckDB', () => {
  it('a query reads the base before the projection exists, and says so', async () => {
    await land(3);
    const answer = await ask();
    expect(rowsOf(answer)).toBe(3);
    expect(answer.body.statistics).toMatchObject({ layout: 'base', layoutFallback: 'missing' });
    const base = await ask({ layout: 'base' });
    expect(base.body.statistics).toMatchObject({ layout: 'base' });
    expect(base.body.statistics).not.toHaveProperty('layoutFallback');
  });

  it('a query reads each event up to its offset once, while batches land and two projectors commit', async () => {
    const projectors = [lake.projection(), lake.projection()];
    const layouts: (LayoutName | undefined)[] = [];
    for (let batch = 0; batch < 6; batch += 1) {
      const commits = projectors.map(async (projector) => await projector.round());
      const asking = ask();
      await land(2);
      // An answer that begins after a batch has landed holds the batch.
      const after = await ask();
      expect(rowsOf(after)).toBe(landed);
      for (const answer of [await asking, after]) {
        const { asOf, statistics } = answer.body;
        layouts.push(statistics!.layout);
        // The base has no known offsets while its files change.
        expect(rowsOf(answer)).toBe(statistics!.layout === 'iceberg' ? asOf![0]!.offsets[0] : rowsOf(answer));
      }
      // One of the two commits a batch, and the other loses or finds nothing.
      await Promise.all(commits);
    }
    expect(layouts).toContain('iceberg');
    expect(rowsOf(await ask())).toBe(landed);
    expect(rowsOf(await ask({ layout: 'base' }))).toBe(landed);
  });

  it('files whose times lie outside the conditions are not opened', async () => {
    await land(1, { purchaseTimestamp: december + 5000 });
    await lake.projection().round();
    await land(1, { purchaseTimestamp: december + 6000 });
    const sql = "SELECT count(*) FROM purchases WHERE purchase_timestamp >= TIMESTAMP '2019-12-01 01:00:00' AND dt = '2019-12-01'";
    const { body } = await ask({ sql });
    expect(body).toMatchObject({ results: { rows: [['2']] }, statistics: { layout: 'iceberg', files: 2 } });
    expect(await ask({ sql, layout: 'base' })).toMatchObject({ body: { results: { rows: [['2']] } } });
  });

  it('a kept answer of the Iceberg layout is exact until the next batch lands', async () => {
    expect(await ask({ cache: true })).toMatchObject({ cache: 'miss' });
    expect(await ask({ cache: true })).toMatchObject({ cache: 'hit', body: { asOf: [{ offsets: [landed, 0, 0, 0, 0, 0, 0, 0] }] } });
    await land(1);
    const fresh = await ask({ cache: true });
    expect([fresh.cache, rowsOf(fresh)]).toEqual(['miss', landed]);
    // A commit of the projection changes the files, and no row.
    await lake.projection().round();
    expect((await ask({ cache: true })).cache).toBe('hit');
  });

  it.each(['base', 'iceberg'] as const)('ten queries that wait for the next event each see it, in the layout %s', async (layout) => {
    for (let n = 0; n < 10; n += 1) {
      const asked = ask({ layout, waitFor: { partition: 0, offset: String(landed) } });
      await land(1);
      expect(rowsOf(await asked)).toBeGreaterThanOrEqual(landed);
      if (n % 4 === 0) await lake.projection().round();
    }
  });

  it('a query reads the base while the metadata of the newest commit is missing', async () => {
    await land(1);
    const projection = lake.projection();
    await projection.round();
    const { metadata } = projection.head!;
    const bytes = (await lake.store.get(metadata))!;
    await lake.store.delete(metadata);
    const answer = await ask();
    expect(answer.body.statistics).toMatchObject({ layout: 'base', layoutFallback: 'unreadable' });
    expect(rowsOf(answer)).toBe(landed);
    await lake.store.put(metadata, bytes);
    expect((await ask()).body.statistics).toMatchObject({ layout: 'iceberg' });
  });

  it('a query whose event does not come fails within the wait, and names the reason', async () => {
    const { body: asked } = await ask({ waitFor: [{ partition: 0, offset: landed + 1000 }], wait: 2 });
    // A busy machine may answer before the query has failed.
    const body = await waitUntil(
      'the query to end',
      async () => {
        const view = (await (await fetch(new URL(asked.links.self, api.url))).json()) as Answer['body'];
        return view.state === 'queued' ? undefined : view;
      },
      { timeoutMs: 60_000 },
    );
    expect(body).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:not-covered' } });
    const invalid = await ask({
      waitFor: [
        { partition: 0, offset: '9007199254740993' },
        { topic: 'other', partition: 0, offset: 0 },
      ],
    });
    expect(invalid).toMatchObject({ status: 400, body: { errors: [{ field: 'waitFor[0].offset' }, { field: 'waitFor[1].topic' }] } });
  });
});

describe.skipIf(testParts.trinoMissing !== undefined)(`layouts on Trino (${testParts.trinoMissing ?? testParts.trinoUrl})`, () => {
  it('each layout gives the rows up to its offsets, and the Iceberg table is exact for the position of its snapshot', async () => {
    await lake.projection().round();
    await land(1);
    const iceberg = await ask({ engine: 'trino', layout: 'iceberg' });
    expect(iceberg.body.statistics).toMatchObject({ layout: 'iceberg' });
    expect(rowsOf(iceberg)).toBe(landed - 1);
    expect(iceberg.body.asOf![0]!.offsets[0]).toBe(landed - 1);
    const base = await ask({ engine: 'trino' });
    expect(base.body.statistics).toMatchObject({ layout: 'base' });
    expect(rowsOf(base)).toBe(landed);
  });

  it('a kept answer of the Iceberg table is exact until the next commit', async () => {
    const kept: Ask = { engine: 'trino', layout: 'iceberg', cache: true };
    expect((await ask(kept)).cache).toBe('miss');
    await land(1);
    expect((await ask(kept)).cache).toBe('hit');
    await lake.projection().round();
    const fresh = await ask(kept);
    expect([fresh.cache, rowsOf(fresh)]).toEqual(['miss', landed]);
  });

  it.each([
    ['trino', 'base'],
    ['trino', 'iceberg'],
    ['athena', 'base'],
    ['athena', 'iceberg'],
  ] as const)('queries on %s that wait for the next event each see it, in the layout %s', async (engine, layout) => {
    for (let n = 0; n < 3; n += 1) {
      const asked = ask({ engine, layout, waitFor: { partition: 0, offset: String(landed) } });
      await land(1);
      if (layout === 'iceberg') await lake.projection().round();
      const answer = await asked;
      expect(rowsOf(answer)).toBeGreaterThanOrEqual(landed);
      expect(answer.body.statistics).toMatchObject({ layout });
    }
  });

  it('an error names the line and column of the statement that the caller wrote', async () => {
    const { body } = await ask({ engine: 'trino', layout: 'iceberg', sql: 'SELECT genre\nFROM purchases WHERE nothing = 1' });
    expect(body).toMatchObject({ state: 'failed', error: { detail: expect.stringContaining('line 2, column 22') as string } });
  });

  it("after another writer's commit a query reads the base, and says so", async () => {
    const Name = icebergTableName('purchases');
    const { Table } = await lake.aws.glue.send(new GetTableCommand({ DatabaseName: lake.database, Name }));
    const foreign = `s3://${lake.bucket}/${metadataPrefix('purchases')}00099-${crypto.randomUUID()}.metadata.json`;
    const TableInput = { Name, Parameters: { ...Table!.Parameters, metadata_location: foreign } };
    await lake.aws.glue.send(new UpdateTableCommand({ DatabaseName: lake.database, TableInput }));
    const answer = await ask({ engine: 'trino', layout: 'iceberg' });
    expect(answer.body.statistics).toMatchObject({ layout: 'base', layoutFallback: 'foreign' });
    expect(rowsOf(answer)).toBe(landed);
  });
});

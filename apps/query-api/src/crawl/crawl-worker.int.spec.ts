import { GetTableCommand } from '@aws-sdk/client-glue';
import type { CrawlReport } from '@millrace/lake';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readQueryConfig } from '../config.ts';
import { conformanceRows } from '../engines/query-engine.conformance.ts';
import { QueryWorkerModule } from '../query-worker.module.ts';
import { openTestLake, testEnvironment, type TestLake } from '../testing-lake.ts';

let lake: TestLake;
const workers: RunningService[] = [];

beforeAll(async () => {
  lake = await openTestLake();
  await lake.land(conformanceRows, { register: false });
});
afterAll(async () => {
  await Promise.all(workers.map(async (worker) => await worker.close()));
  await lake?.close();
});

it('two workers register a lost day by their schedule, one of them at a time', async () => {
  expect(await lake.catalog.partitions()).toEqual([]);
  const config = readQueryConfig(testEnvironment(lake, { QUERY_CRAWL_SECONDS: '1', QUERY_CRAWL_POLICY: 'update' }));
  const logger = createLogger({ name: 'query-worker', level: 'silent' });
  for (const name of ['one', 'two'])
    workers.push(await startService({ name, module: QueryWorkerModule.of(config, logger), port: 0, logger }));
  await expect
    .poll(async () => (await lake.catalog.partitions()).map(({ value }) => value).toSorted(), { timeout: 60_000, interval: 200 })
    .toEqual(['2019-11-30', '2019-12-01']);
  await expect.poll(async () => await runs('equal'), { timeout: 60_000, interval: 200 }).toBeGreaterThan(0);
  expect(await runs('applied')).toBe(1);
  // The columns of the contract stay as they are.
  const { Table: table } = await lake.aws.glue.send(new GetTableCommand({ DatabaseName: lake.database, Name: 'purchases' }));
  expect(table?.StorageDescriptor?.Columns).toHaveLength(9);
});

/** Crawls of all workers with a verdict. */
async function runs(verdict: CrawlReport['verdict']): Promise<number> {
  const texts = await Promise.all(workers.map(async ({ url }) => await (await fetch(`${url}/metrics`)).text()));
  const pattern = new RegExp(`^millrace_crawl_runs_total\\{[^}]*verdict="${verdict}"[^}]*\\} (\\d+)`, 'm');
  return texts.reduce((sum, text) => sum + Number(pattern.exec(text)?.[1] ?? 0), 0);
}

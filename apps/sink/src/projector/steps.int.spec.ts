import { duckDbSumsSql, PyicebergReader, seededRandom, trinoSums } from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAgreement } from './testing/expect-agreement.ts';
import { crashed, crashingStore } from './testing/crashing-store.ts';
import { ProjectedLake } from './testing/projected-lake.ts';

const day = 86_400;
const start = 1_700_000_000;
const seed = 20_261_130;
const stepsTotal = 24;

const { TRINO_URL: trinoUrl, MILLRACE_TRINO_MISSING: trinoMissing = 'TRINO_URL is not set', AWS_ENDPOINT_URL: endpoint = '' } = process.env;
const readers = trinoUrl === undefined ? `DuckDB and pyiceberg agree (no Trino: ${trinoMissing})` : 'DuckDB, pyiceberg and Trino agree';

let lake: ProjectedLake;
let pyiceberg: PyicebergReader;

beforeAll(async () => {
  [lake, pyiceberg] = await Promise.all([ProjectedLake.open(), PyicebergReader.open(endpoint)]);
}, 600_000);
afterAll(async () => {
  lake?.close();
  await pyiceberg?.close();
});

it(`${readers} with the base after each of ${stepsTotal} random steps, crashes and rebuilds included`, async () => {
  const random = seededRandom(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  let rows = 0;
  const projection = lake.projection({ snapshotMs: 0 });
  const append = async (): Promise<void> => {
    const times = Array.from({ length: 1 + whole(4) }, (_, n) => start + rows + n + whole(3) * day);
    await lake.landed.land(whole(3), times, { old: random() < 0.2 });
    rows += times.length;
    await projection.round();
  };
  const merge = async (): Promise<void> => {
    const compaction = lake.compaction(projection, { filesMin: 2 }, 2);
    while ((await compaction.pass()).outcome === 'committed');
  };
  const sweep = async (): Promise<void> => void (await lake.sweep(projection, { graceMs: 0 }).run());
  const rebuild = async (): Promise<void> => void (await lake.projection({ snapshotMs: 0 }).rebuild());
  // A process that dies at one of its calls. Its successor is the projection above.
  const crash = async (): Promise<void> => {
    const dying = lake.projection({ snapshotMs: 0, store: crashingStore(lake.store, 1 + whole(25)) });
    const attempts = [
      async () => void (await dying.round()),
      async () => void (await lake.compaction(dying, { filesMin: 2 }, 2).pass()),
      async () => void (await lake.sweep(dying, { graceMs: 0 }).run()),
      async () => void (await dying.rebuild()),
    ];
    await lake.landed.land(whole(3), [start + rows]);
    rows += 1;
    const end = await attempts[whole(attempts.length)]!().catch(rootOf);
    expect([undefined, crashed]).toContain(end);
    await projection.round();
  };
  await append();
  const steps = [append, append, merge, sweep, crash, crash, rebuild];
  for (let n = 0; n < stepsTotal; n += 1) {
    await steps[whole(steps.length)]!();
    await expectAgreement(lake.sums(await lake.pointer()));
    const base = await lake.rows(duckDbSumsSql(lake.base, ['_partition', '_offset']));
    const others = [await pyiceberg.sums(lake.inCatalog), ...(trinoUrl === undefined ? [] : [await trinoSums(lake.inCatalog, trinoUrl)])];
    expect(others).toEqual(others.map(() => base));
  }
  expect((await lake.log.head(undefined))!.rows).toBe(rows);
}, 300_000);

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}

import { isLakeError } from '@millrace/lake';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAgreement } from './testing/expect-agreement.ts';
import { ProjectedLake } from './testing/projected-lake.ts';

const day = 86_400;
const start = 1_700_000_000;
let lake: ProjectedLake;

beforeAll(async () => (lake = await ProjectedLake.open()));
afterAll(() => lake.close());

it('an independent reader of Iceberg sees each landed row once, in files with and without dt', async () => {
  const [one, two] = [lake.projection(), lake.projection()];
  await lake.landed.land(0, [start, start + 1, start + day], { old: true });
  await lake.landed.land(0, [start + 5, start + 3 * day]);
  await lake.landed.land(3, [start + 7, start + day, start + 2 * day]);
  expect(await one.round()).toMatchObject({ outcome: 'committed', files: 7, rows: 8 });
  await expectAgreement(lake.sums(await lake.pointer()));

  // Enough commits for manifests to be merged, by two projectors in turn.
  for (let n = 0; n < 12; n += 1) {
    await lake.landed.land(n % 4, [start + n * day, start + n * 600]);
    expect(await (n % 2 === 0 ? one : two).round()).toMatchObject({ outcome: 'committed', rows: 2 });
  }
  await expectAgreement(lake.sums(await lake.pointer()));
  await expectAgreement(lake.sums(lake.location));
  expect(await one.round()).toMatchObject({ outcome: 'idle' });
});

it('an entry whose files are only staged waits until a sink publishes them', async () => {
  await lake.landed.record(5, [start]);
  expect(await lake.projection().round()).toMatchObject({ outcome: 'idle' });
});

it('a commit of another writer in the catalog stops the projector, and is not overwritten', async () => {
  const projection = lake.projection();
  const ours = await lake.pointer();
  const foreign = ours.replace(/[^/]*$/, '00000-7e3f.metadata.json');
  await lake.pointTo(foreign);
  await lake.landed.land(1, [start]);
  await expect(projection.round()).rejects.toSatisfy((error) => isLakeError(error, 'foreign-commit') && error.message.includes(foreign));
  expect(await lake.pointer()).toBe(foreign);
  await lake.pointTo(ours);
  expect(await projection.round()).toMatchObject({ outcome: 'committed' });
  await expectAgreement(lake.sums(await lake.pointer()));
});

it('readers find every row once and every file while the table is made anew beside rounds, merges and sweeps', async () => {
  const projection = lake.projection({ racing: true });
  await projection.round();
  const compaction = lake.compaction(projection, { filesMin: 2 });
  const sweep = lake.sweep(projection, {});
  const counts: number[] = [];
  const rebuilt = new AbortController();
  const read = async (): Promise<void> => {
    while (!rebuilt.signal.aborted) {
      const { n, places } = await lake.count(await lake.pointer());
      expect(places).toBe(n);
      counts.push(n);
    }
  };
  const write = async (): Promise<void> => {
    for (let n = 0; n < 6; n += 1) {
      await lake.landed.land(n % 2, [start + n, start + day]);
      await projection.round();
      for (let pass = await compaction.pass(); pass.outcome === 'committed'; pass = await compaction.pass());
      await sweep.run();
    }
  };
  const rebuild = async (): Promise<void> => {
    for (let n = 0; n < 6; n += 1) await lake.projection({ racing: true }).rebuild();
    rebuilt.abort();
  };
  await Promise.all([read(), write(), rebuild()]);
  expect(counts.length).toBeGreaterThan(0);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  // Its round moves a pointer that a race left behind.
  await lake.projection().round();
  await expectAgreement(lake.sums(await lake.pointer()));
  await expectAgreement(lake.sums(lake.location));
}, 120_000);

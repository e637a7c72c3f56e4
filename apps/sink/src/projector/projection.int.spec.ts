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
  await expectAgreement(lake, await lake.pointer());

  // Enough commits for manifests to be merged, by two projectors in turn.
  for (let n = 0; n < 12; n += 1) {
    await lake.landed.land(n % 4, [start + n * day, start + n * 600]);
    expect(await (n % 2 === 0 ? one : two).round()).toMatchObject({ outcome: 'committed', rows: 2 });
  }
  await expectAgreement(lake, await lake.pointer());
  await expectAgreement(lake, lake.location);
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
  await expectAgreement(lake, await lake.pointer());
});

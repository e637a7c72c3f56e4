import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactedPrefix, lostMetadata, metadataPrefix } from '@millrace/lake';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expectAgreement } from '../testing/expect-agreement.ts';
import { ProjectedLake } from '../testing/projected-lake.ts';

const day = 86_400;
const start = 1_700_000_000;
let lake: ProjectedLake;

beforeEach(async () => (lake = await ProjectedLake.open()));
afterEach(() => lake.close());

it('an independent reader sees each row once after each merge, and the days have few files', async () => {
  const projection = lake.projection();
  const compaction = lake.compaction(projection, { filesMin: 4 });
  let rows = 0;
  let merged = 0;
  for (let round = 0; round < 4; round += 1) {
    for (let n = 0; n < 4; n += 1) {
      await lake.landed.land(n, [start + rows, start + rows + 1, start + day + rows], { old: n === 0 });
      rows += 3;
    }
    expect(await projection.round()).toMatchObject({ outcome: 'committed', files: 8 });
    for (let pass = await compaction.pass(); pass.outcome === 'committed'; pass = await compaction.pass()) {
      merged += pass.files;
    }
    await expectAgreement(lake.sums(await lake.pointer()));
  }
  expect(merged).toBe(32 + 8);
  expect(projection.head).toMatchObject({ files: 2, rows: 48 });
  await expectAgreement(lake.sums(lake.location));
  expect(readdirSync(join(tmpdir(), lake.bucket)).filter((name) => name.startsWith('pass-'))).toEqual([]);
}, 180_000);

it('a sweep deletes replaced files and old metadata after the grace period, and no file of the base', async () => {
  const projection = lake.projection({ snapshotMs: 0 });
  const compaction = lake.compaction(projection, { filesMin: 2 }, 2);
  for (let n = 0; n < 4; n += 1) {
    await lake.landed.land(0, [start + n]);
    await projection.round();
    while ((await compaction.pass()).outcome === 'committed');
  }
  // Commits after which no attempt can add the files of the last merges.
  for (let n = 0; n < 2; n += 1) {
    await lake.landed.land(1, [start + day]);
    await projection.round();
  }
  const base = await lake.keys(`${lake.stream.table}/`);
  expect(base).toHaveLength(6);
  const [data, metadata] = [compactedPrefix(lake.stream.table), metadataPrefix(lake.stream.table)];
  const before = await lake.keys(metadata);
  // An attempt that crashed before its commit leaves a file. It may be deleted once no commit can add it any more.
  await lake.store.put(`${data}dt=2023-11-14/g1-00001-dead.parquet`, new Uint8Array(3));
  await lake.store.put(`${data}dt=2023-11-14/g1-99999-busy.parquet`, new Uint8Array(3));

  expect(await lake.sweep(projection, { graceMs: 3_600_000 }).run()).toMatchObject({ deleted: 0 });
  expect(await lake.keys(metadata)).toEqual(before);
  const { deleted } = await lake.sweep(projection, { graceMs: 0 }).run();
  expect(deleted).toBeGreaterThan(8);
  expect(projection.head).toMatchObject({ files: 3, rows: 6 });
  const kept = await lake.keys(data);
  expect(kept).toHaveLength(2);
  expect(kept).toContain(`${data}dt=2023-11-14/g1-99999-busy.parquet`);
  expect((await lake.keys(metadata)).length).toBeLessThan(before.length);
  expect(await lake.keys(`${lake.stream.table}/`)).toEqual(base);
  await expectAgreement(lake.sums(await lake.pointer()));
  await expectAgreement(lake.sums(lake.location));
  expect(await lake.sweep(projection, { graceMs: 0 }).run()).toMatchObject({ deleted: 0, waiting: 0 });
}, 180_000);

it('a file replaced by a repair leaves the table with the next merge of its day; its rows count as lost', async () => {
  const projection = lake.projection();
  const [first] = [await lake.landed.land(0, [start, start + 1]), await lake.landed.land(1, [start + 2])];
  await projection.round();
  await lake.store.put(first.files[0]!.key, new Uint8Array(7), { metadata: { [lostMetadata]: '2' } });
  expect(await lake.compaction(projection, { filesMin: 2 }).pass()).toMatchObject({ outcome: 'committed', files: 2, rows: 1 });
  expect(projection.head).toMatchObject({ files: 1, rows: 1, lostRows: 2 });
});

it('a file that differs from its manifest stops the merge of its day, and no other', async () => {
  const projection = lake.projection();
  const damaged = await lake.landed.land(0, [start, start + day]);
  await lake.landed.land(1, [start + 2, start + day]);
  await projection.round();
  await lake.store.put(damaged.files[0]!.key, new Uint8Array(7));
  const compaction = lake.compaction(projection, { filesMin: 2 });
  const outcomes: unknown[] = [];
  for (let n = 0; n < 3; n += 1) outcomes.push(await compaction.pass().catch((error: { code: string }) => error.code));
  expect(outcomes).toContain('file-lost');
  expect(outcomes).toContainEqual(expect.objectContaining({ outcome: 'committed', dt: damaged.files[1]!.dt }));
  expect(projection.head).toMatchObject({ files: 3, rows: 4 });
  expect(existsSync(join(tmpdir(), lake.bucket, 'pass-'))).toBe(false);
});

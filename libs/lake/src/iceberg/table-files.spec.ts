import { purchases } from '@millrace/contracts';
import { expect, it } from 'vitest';
import { chainStart } from '../chain.ts';
import { CountingStore } from '../testing/counting-store.ts';
import { publishSamples, recordSamples, sampleEntry, sampleLane } from '../testing/sample-ledger.ts';
import { LaneTail } from './lane-tail.ts';
import { Projection } from './projection.ts';
import { TableFiles } from './table-files.ts';

const everyDay = new Set(['2019-11-30', '2019-12-01']);

function landedKeys(entries: number): string[] {
  return Array.from({ length: entries }, (_, n) => sampleEntry(n).files.map(({ key }) => key))
    .flat()
    .toSorted();
}

/** A lake with a lane of samples, its projection and a reader. */
function lake() {
  const store = new CountingStore();
  let location: string | undefined;
  let ids = 0;
  const projection = new Projection({
    store,
    bucket: 'lake',
    stream: purchases,
    catalog: {
      read: async () => (location === undefined ? undefined : { location, version: undefined }),
      move: async (_from, to) => void (location = to),
    },
    writer: 'test',
    now: () => 1000,
    newId: () => `${(ids += 1).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
    rowsOf: async () => 0,
    onPointerFailure: (error) => {
      throw error;
    },
  });
  let entries = 0;
  const land = async (count: number, { published = true } = {}): Promise<void> => {
    await recordSamples(store, entries, entries + count);
    if (published) await publishSamples(store, entries, entries + count);
    entries += count;
  };
  const table = new TableFiles({ store, bucket: 'lake', stream: purchases });
  return { store, projection, land, table, tail: new LaneTail(store, purchases, sampleLane, 8), location: () => location };
}

const keysOf = (files: readonly { readonly key: string }[]): string[] => files.map(({ key }) => key).toSorted();

it('there is no snapshot before the first commit', async () => {
  const { table, tail } = lake();
  expect(await table.newest()).toBeUndefined();
  expect(await tail.after(chainStart)).toEqual({ to: 0, files: [] });
});

it('a snapshot and the tail after it hold each landed file once, after every commit and every batch', async () => {
  const { table, tail, land, projection } = lake();
  for (let landed = 1; landed <= 12; landed += 1) {
    await land(1);
    if (landed % 3 === 0) await projection.round();
    const snapshot = await table.newest();
    const end = snapshot?.position[sampleLane.partition] ?? chainStart;
    const behind = (await tail.after(end))!;
    const files = snapshot === undefined ? [] : await table.filesOf(snapshot, everyDay);
    expect(keysOf([...files, ...behind.files])).toEqual(landedKeys(landed));
    expect(behind.to).toBe(landed * 10);
  }
});

it('files carry their size, rows, partition and the bounds of the event time', async () => {
  const { table, tail, land, projection } = lake();
  await land(1);
  const [, second] = sampleEntry(0).files;
  const file = { key: second!.key, bytes: 100, rows: 5, partition: '2019-12-01', bounds: new Map([['purchase_timestamp', [0, 9e6]]]) };
  expect((await tail.after(chainStart))!.files[1]).toEqual(file);
  await projection.round();
  const snapshot = (await table.newest())!;
  expect(await table.filesOf(snapshot, new Set(['2019-12-01']))).toEqual([file]);
});

it('an unchanged table costs one LIST, and an unchanged tail one GET', async () => {
  const { store, table, tail, land, projection } = lake();
  await land(20);
  await projection.round();
  await land(3);
  const look = async (): Promise<void> => {
    const snapshot = (await table.newest())!;
    await table.filesOf(snapshot, everyDay);
    await tail.after(snapshot.position[sampleLane.partition]!);
  };
  await look();
  store.takeCalls();
  await look();
  expect(store.takeCalls()).toMatchObject({ list: 1, get: 1, head: 0 });
});

it('a manifest is read only for a partition in its range', async () => {
  const { store, table, land, projection } = lake();
  await land(2);
  await projection.round();
  const snapshot = (await table.newest())!;
  store.takeCalls();
  expect(await table.filesOf(snapshot, new Set(['2020-01-01']))).toEqual([]);
  expect(store.takeCalls().get).toBe(0);
  expect(await table.filesOf(snapshot, new Set(['2019-11-30']))).toHaveLength(2);
  expect(store.takeCalls().get).toBe(1);
});

it('the catalog names a snapshot by its metadata, and the metadata of another writer names no snapshot', async () => {
  const { table, land, projection, location } = lake();
  await land(1);
  await projection.round();
  await land(1);
  await projection.round();
  expect((await table.at(location()!))!.commit.n).toBe(2);
  const foreign = '_iceberg/purchases/metadata/00002-ffffffff-0000-4000-8000-000000000000.metadata.json';
  for (const other of [`s3://lake/${foreign}`, `s3://other/${projection.head!.metadata}`, 's3://lake/x', ''])
    expect(await table.at(other)).toBeUndefined();
});

it.each(['.metadata.json', 'snap-', '-m0.avro'])(
  'a missing object %s of a snapshot is an error of the table, not of the store',
  async (part) => {
    const { store, table, land, projection } = lake();
    await land(1);
    await projection.round();
    for (const key of store.objects.keys()) if (key.includes('/metadata/') && key.includes(part)) store.objects.delete(key);
    const read = async (): Promise<unknown> => await table.filesOf((await table.newest())!, everyDay);
    await expect(read()).rejects.toMatchObject({ code: 'bad-entry' });
  },
);

it('a head whose files do not exist yet is not part of the tail', async () => {
  const { tail, land } = lake();
  await land(2);
  await land(1, { published: false });
  expect(await tail.after(chainStart)).toMatchObject({ to: 20 });
});

it('a tail that lacks a file of an older entry is an error, and a tail above the limit is undefined', async () => {
  const lost = lake();
  await lost.land(3);
  lost.store.objects.delete(sampleEntry(1).files[0]!.key);
  await expect(lost.tail.after(chainStart)).rejects.toMatchObject({ code: 'file-lost' });
  const long = lake();
  await long.land(9);
  expect(await long.tail.after(chainStart)).toBeUndefined();
  expect(await long.tail.after({ to: 10, id: 'b0' })).toMatchObject({ to: 90 });
});

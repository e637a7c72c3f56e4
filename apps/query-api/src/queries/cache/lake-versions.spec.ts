import { purchases } from '@millrace/contracts';
import { dataKey, entryBytes, entryKey, stagedKey, type CatalogPartition, type LedgerEntry, type ObjectStore } from '@millrace/lake';
import { createPipeline } from '@millrace/resilience';
import { expect, it } from 'vitest';
import type { TableReads } from '../../statement/table-reads.ts';
import { LedgerVersions, type LakeView } from './lake-versions.ts';

const topic = 'bookstore.purchases.v1';
const laneOf = (partition: number) => ({ table: 'purchases', topic, partition });
const signal = new AbortController().signal;
const everything: TableReads = new Map([['purchases', () => true]]);
const november: TableReads = new Map([['purchases', (dt) => dt < '2019-12-01']]);

function locationOf(value: string): string {
  return `s3://lake/purchases/dt=${value}/`;
}

/** A lake in memory, with the keys that were asked for. */
function lake() {
  const objects = new Map<string, Uint8Array>();
  const partitions: CatalogPartition[] = [];
  const asked: string[] = [];
  let away = false;
  const sorted = (prefix: string): string[] => [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  const store: Pick<ObjectStore, 'get' | 'size' | 'list' | 'listFolders'> = {
    get: async (key) => {
      if (away) throw new Error('S3 is away');
      asked.push(key);
      return objects.get(key);
    },
    size: async (key) => objects.get(key)?.byteLength,
    list: async (prefix, { limit = 1000 } = {}) => sorted(prefix).slice(0, limit),
    listFolders: async (prefix) => [...new Set(sorted(prefix).map((key) => `${key.slice(prefix.length).split('/')[0]}/`))],
  };
  const versions = new LedgerVersions(
    [{ stream: purchases, store: store as ObjectStore, catalog: { partitions: async () => [...partitions], locationOf } }],
    createPipeline({ name: 'lake-version', fallbacks: [{ kind: 'stub', value: () => undefined }] }),
    () => 0,
  );
  return {
    versions,
    asked,
    objects,
    partitions,
    lose: () => void (away = true),
    register: (...values: string[]) => void partitions.push(...values.map((value) => ({ value, location: locationOf(value) }))),
    /** Records a batch of ten offsets and publishes its files, unless they are to be late. */
    land(from: number, days: readonly string[], { late = false, partition = 3 } = {}) {
      const lane = laneOf(partition);
      const range = { id: `b${from}`, from, to: from + 10 };
      const files = days.map((dt, index) => ({
        dt,
        key: dataKey(lane, 'dt', dt, range),
        staged: stagedKey('purchases', range.id, index),
        rows: 1,
        bytes: 1,
        sha256: 'a'.repeat(64),
        minTimestamp: 0,
        maxTimestamp: 0,
      }));
      const entry: LedgerEntry = {
        v: 1,
        ...range,
        prev: null,
        kind: 'batch',
        dropped: [],
        rejected: [],
        absent: [],
        files,
        topic: { cluster: 'c' },
        writer: 'w',
        contract: 'x/1',
      };
      objects.set(entryKey(lane, from), entryBytes(entry));
      const publish = (): void => files.forEach(({ key }) => objects.set(key, new Uint8Array(1)));
      if (!late) publish();
      return publish;
    },
  };
}

async function view(of: ReturnType<typeof lake>, reads: TableReads = everything): Promise<LakeView> {
  const found = await of.versions.read(reads, signal);
  if (found === undefined) throw new Error('the version is not known');
  return found;
}

it('the version of a table has the landed offset of each lane', async () => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-11-30']);
  lakeNow.land(10, ['2019-12-01']);
  expect((await view(lakeNow)).version).toMatchObject([{ table: 'purchases', topic, offsets: [0, 0, 0, 20, 0, 0, 0, 0] }]);
});

it('a partition beyond the contract is part of the version as soon as it has landed', async () => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-11-30']);
  const { version } = await view(lakeNow);
  lakeNow.land(0, ['2019-11-30'], { partition: 10 });
  const grown = await view(lakeNow);
  expect(grown.version).toMatchObject([{ offsets: [0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 10] }]);
  expect(grown.isSameFor(version)).toBe(false);
});

it('an unchanged table costs one GET for each lane', async () => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-11-30']);
  const { version } = await view(lakeNow);
  lakeNow.asked.length = 0;
  expect((await view(lakeNow)).isSameFor(version)).toBe(true);
  expect(lakeNow.asked).toHaveLength(8);
});

it('a landed batch changes the version for the statements that may read its days, and for no others', async () => {
  const lakeNow = lake();
  lakeNow.register('2019-11-30', '2019-12-01');
  lakeNow.land(0, ['2019-11-30']);
  const [all, early] = [await view(lakeNow), await view(lakeNow, november)];
  lakeNow.land(10, ['2019-12-01']);
  expect((await view(lakeNow)).isSameFor(all.version)).toBe(false);
  expect((await view(lakeNow, november)).isSameFor(early.version)).toBe(true);
  lakeNow.land(20, ['2019-12-01', '2019-11-30']);
  expect((await view(lakeNow, november)).isSameFor(early.version)).toBe(false);
});

it('the version is not known while files of the newest batch are missing', async () => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-11-30']);
  const { version } = await view(lakeNow);
  const publish = lakeNow.land(10, ['2019-12-01'], { late: true });
  expect(await lakeNow.versions.read(everything, signal)).toBeUndefined();
  publish();
  expect((await view(lakeNow)).isSameFor(version)).toBe(false);
});

it('a newly registered day changes the version for the statements that may read it', async () => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-11-30', '2019-12-01']);
  lakeNow.register('2019-11-30');
  const [all, early] = [await view(lakeNow), await view(lakeNow, november)];
  lakeNow.register('2019-12-01');
  expect((await view(lakeNow)).isSameFor(all.version)).toBe(false);
  expect((await view(lakeNow, november)).isSameFor(early.version)).toBe(true);
});

it('a batch that this process has not followed counts as a change', async () => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-12-01']);
  const { version } = await view(lakeNow, november);
  const other = lake();
  for (const [key, bytes] of lakeNow.objects) other.objects.set(key, bytes);
  other.land(10, ['2019-12-01']);
  expect((await view(other, november)).isSameFor(version)).toBe(false);
});

it('a read skips many entries before the head, and the later version then does not count as the same', async () => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-12-01']);
  const { version } = await view(lakeNow, november);
  for (let from = 10; from < 1000; from += 10) lakeNow.land(from, ['2019-12-01']);
  lakeNow.asked.length = 0;
  const later = await view(lakeNow, november);
  expect(later.version[0]!.offsets[3]).toBe(1000);
  expect(later.isSameFor(version)).toBe(false);
  expect(lakeNow.asked.length).toBeLessThan(45);
});

it.each<[string, (of: ReturnType<typeof lake>) => void]>([
  ['has no ledger', (of) => of.objects.clear()],
  ['has the ledgers of two topics', (of) => of.objects.set(entryKey({ ...laneOf(3), topic: 'another' }, 0), new Uint8Array(1))],
  ['has a partition elsewhere', (of) => of.partitions.push({ value: '2019-11-29', location: 's3://lake/replayed/dt=2019-11-29/' })],
  ['cannot be read', (of) => of.lose()],
])('the version of a table that %s is not known', async (_which, change) => {
  const lakeNow = lake();
  lakeNow.land(0, ['2019-11-30']);
  change(lakeNow);
  expect(await lakeNow.versions.read(everything, signal)).toBeUndefined();
});

it('the version of an unknown table is not known', async () => {
  expect(await lake().versions.read(new Map([['orders', () => true]]), signal)).toBeUndefined();
});

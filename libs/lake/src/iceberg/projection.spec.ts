import { purchases, type Stream } from '@millrace/contracts';
import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { entryBytes, type LedgerEntry } from '../entry.ts';
import { entryKey } from '../keys.ts';
import { LakeError } from '../errors.ts';
import { CountingStore } from '../testing/counting-store.ts';
import { publishSamples, recordSamples, sampleEntry, sampleLane } from '../testing/sample-ledger.ts';
import type { CatalogPointer, PointerCatalog } from './iceberg-catalog.ts';
import { CommitLog } from './commit-log.ts';
import { readManifest, readManifestList, type ManifestFile } from './manifest.ts';
import { Projection } from './projection.ts';
import { TableFiles } from './table-files.ts';
import { currentSchema, currentSnapshot, parseMetadata, type TableMetadata } from './table-metadata.ts';

class MemoryPointer implements PointerCatalog {
  pointer: CatalogPointer | undefined;

  async read(): Promise<CatalogPointer | undefined> {
    return this.pointer;
  }

  async move(_from: CatalogPointer | undefined, location: string): Promise<void> {
    this.pointer = { location, version: undefined };
  }
}

/** No two attempts share an id, also those of different projectors. */
let ids = 0;

const store = (): CountingStore => new CountingStore();

function projectionOver(from: CountingStore, stream: Stream = purchases, catalog: PointerCatalog = new MemoryPointer()): Projection {
  return new Projection({
    store: from,
    bucket: 'lake',
    stream,
    catalog,
    writer: 'test',
    now: () => 1000,
    newId: () => `${(ids += 1).toString(16).padStart(8, '0')}-0000-4000-8000-00000000000${stream.columns.length % 10}`,
    rowsOf: async () => 0,
    onPointerFailure: (error) => {
      throw error;
    },
  });
}

function metadataOf(from: CountingStore, projection: Projection): TableMetadata {
  const key = projection.head!.metadata;
  return parseMetadata(key, from.objects.get(key)!.bytes);
}

async function manifestsOf(from: CountingStore, projection: Projection): Promise<ManifestFile[]> {
  const list = currentSnapshot(metadataOf(from, projection))!['manifest-list'];
  return await readManifestList(from.objects.get(list.replace('s3://lake/', ''))!.bytes);
}

it('calls, manifests and bytes of a commit stay bounded over 150 commits', async () => {
  const lake = store();
  const projection = projectionOver(lake);
  const calls: number[] = [];
  const manifests: number[] = [];
  for (let n = 0; n < 150; n += 1) {
    await recordSamples(lake, n, n + 1);
    await publishSamples(lake, n, n + 1);
    lake.takeCalls();
    expect(await projection.round()).toMatchObject({ outcome: 'committed', files: 2 });
    const taken = lake.takeCalls();
    calls.push(Object.values(taken).reduce((sum, count) => sum + count, 0));
    manifests.push((await manifestsOf(lake, projection)).length);
  }
  // A merge adds the reads of eight manifests and one write.
  expect(Math.max(...calls)).toBeLessThanOrEqual(25);
  expect(Math.max(...manifests)).toBeLessThanOrEqual(18);
  const metadata = lake.objects.get(projection.head!.metadata)!.bytes.byteLength;
  expect(metadata).toBeLessThan(120_000);

  // Each file is there once, with the sequence number of the snapshot that added it.
  const files = new Map<string, number>();
  for (const manifest of await manifestsOf(lake, projection)) {
    for (const entry of await readManifest(lake.objects.get(manifest.manifest_path.replace('s3://lake/', ''))!.bytes)) {
      expect(files.has(entry.data_file.file_path)).toBe(false);
      files.set(entry.data_file.file_path, entry.sequence_number ?? manifest.sequence_number);
    }
  }
  expect(files.size).toBe(300);
  for (const [n, file] of sampleEntry(41).files.entries()) expect([n, files.get(`s3://lake/${file.key}`)]).toEqual([n, 42]);
  expect(projection.head).toMatchObject({ n: 150, files: 300, position: { [sampleLane.partition]: { to: 1500, id: 'b149' } } });
});

it('one commit takes every entry that has landed, and not the head whose files are staged', async () => {
  const lake = store();
  const projection = projectionOver(lake);
  expect(await projection.round()).toMatchObject({ outcome: 'idle' });
  await recordSamples(lake, 0, 5);
  await publishSamples(lake, 0, 4);
  expect(await projection.round()).toMatchObject({ outcome: 'committed', files: 8, more: false });
  expect(projection.head?.position).toEqual({ 3: { to: 40, id: 'b3' } });
  expect(await projection.round()).toMatchObject({ outcome: 'idle' });
  await publishSamples(lake, 4, 5);
  expect(await projection.round()).toMatchObject({ outcome: 'committed', files: 2 });
});

it('a file that a repair put in the place of a lost one adds no rows, and its rows are counted as lost', async () => {
  const lake = store();
  const projection = projectionOver(lake);
  await recordSamples(lake, 0, 2);
  await publishSamples(lake, 0, 2);
  await lake.put(sampleEntry(0).files[0]!.key, new Uint8Array(7));
  expect(await projection.round()).toMatchObject({ files: 3, rows: 14 });
  expect(projection.head).toMatchObject({ files: 3, rows: 14, lostRows: 4 });
});

it('a missing file of an older entry stops the round, and the error names it', async () => {
  const lake = store();
  await recordSamples(lake, 0, 2);
  await publishSamples(lake, 1, 2);
  await expect(projectionOver(lake).round()).rejects.toMatchObject({ code: 'file-lost', key: sampleEntry(0).files[0]!.key });
});

it('an entry that does not follow the one before stops the round', async () => {
  const lake = store();
  await recordSamples(lake, 0, 1);
  const stranger: LedgerEntry = { ...sampleEntry(1), prev: 'another' };
  await lake.put(entryKey(sampleLane, 10), entryBytes(stranger));
  await publishSamples(lake, 0, 2);
  await expect(projectionOver(lake).round()).rejects.toMatchObject({ code: 'bad-entry' });
});

it('a field added to the contract is in the schema from the next commit on; earlier schemas stay', async () => {
  const lake = store();
  const catalog = new MemoryPointer();
  const before = projectionOver(lake, purchases, catalog);
  await recordSamples(lake, 0, 2);
  await publishSamples(lake, 0, 1);
  await before.round();
  const column = { name: 'coupon', field: 'coupon', type: 'string', fieldId: 10, description: 'Code', lowerCase: false } as const;
  const eventSchema = Type.Object({ ...purchases.eventSchema.properties, coupon: Type.Optional(Type.String()) });
  const after = projectionOver(lake, { ...purchases, eventSchema, columns: [...purchases.columns, column] }, catalog);
  await publishSamples(lake, 1, 2);
  await after.round();
  const metadata = metadataOf(lake, after);
  expect(metadata.schemas.map((schema) => schema['schema-id'])).toEqual([0, 1]);
  expect(currentSchema(metadata).fields.find(({ id }) => id === 10)).toMatchObject({ name: 'coupon', type: 'string', required: false });
  expect(metadata.snapshots.map((snapshot) => snapshot['schema-id'])).toEqual([0, 1]);
  expect(after.head?.n).toBe(2);
});

it('another topic under the same table is refused', async () => {
  const lake = store();
  await recordSamples(lake, 0, 1);
  await publishSamples(lake, 0, 1);
  await projectionOver(lake).round();
  const other = projectionOver(lake, { ...purchases, topic: { ...purchases.topic, name: 'other' } });
  await expect(other.round()).rejects.toMatchObject({ code: 'invalid' });
});

/** Files and rows by which the newest commit holds the table. */
async function filesOf(from: CountingStore): Promise<string[]> {
  const table = new TableFiles({ store: from, bucket: 'lake', stream: purchases });
  return (await table.filesIn((await table.newest())!, () => true)).map(({ key }) => key).toSorted();
}

/** Keys of the base files of entries [0, to) of the sample chain. */
function baseFiles(to: number): string[] {
  return Array.from({ length: to }, (_, n) => sampleEntry(n).files.map(({ key }) => key))
    .flat()
    .toSorted();
}

it('a rebuild replaces every file in one commit, keeps the older snapshots, and later rounds continue after it', async () => {
  const lake = store();
  const catalog = new MemoryPointer();
  const projection = projectionOver(lake, purchases, catalog);
  for (let n = 0; n < 4; n += 1) {
    await land(lake, n, n + 1);
    await projection.round();
  }
  await projection.table.commit(async (tip) => ({
    operation: 'replace',
    added: [],
    removed: {
      uris: new Set([`s3://lake/${sampleEntry(1).files[0]!.key}`]),
      manifests: new Set(tip!.manifests.map(({ manifest_path: path }) => path)),
    },
  }));
  expect(await filesOf(lake)).toHaveLength(7);
  await land(lake, 4, 6);

  const { before, commit } = await projectionOver(lake, purchases, catalog).rebuild();
  expect([before?.n, commit.n, commit.files, commit.rows, commit.position[3]?.to]).toEqual([5, 6, 12, 53, 60]);
  expect(await filesOf(lake)).toEqual(baseFiles(6));
  expect(catalog.pointer?.location).toBe(`s3://lake/${commit.metadata}`);
  const metadata = parseMetadata(commit.metadata, lake.objects.get(commit.metadata)!.bytes);
  expect(metadata.snapshots).toHaveLength(6);
  expect(currentSnapshot(metadata)?.summary).toMatchObject({
    operation: 'overwrite',
    'added-data-files': '12',
    'deleted-data-files': '7',
    'total-data-files': '12',
  });
  await land(lake, 6, 7);
  expect(await projection.round()).toMatchObject({ outcome: 'committed', files: 2 });
  expect(await filesOf(lake)).toEqual(baseFiles(7));
});

it('a rebuild that dies at any write leaves the table as it was, and can be repeated', async () => {
  for (let writes = 0; ; writes += 1) {
    const lake = store();
    const projection = projectionOver(lake);
    await land(lake, 0, 3);
    await projection.round();
    await land(lake, 3, 5);
    const put = lake.put.bind(lake);
    let left = writes;
    lake.put = async (...call) => {
      if (left === 0) throw new LakeError('unavailable', 'the process is killed');
      left -= 1;
      await put(...call);
    };
    const rebuilt = await projectionOver(lake)
      .rebuild()
      .catch(() => undefined);
    lake.put = put;
    const isCommitted = (await new CommitLog(lake, 'purchases').head(undefined))!.n === 2;
    expect(await filesOf(lake)).toEqual(baseFiles(isCommitted ? 5 : 3));
    await projectionOver(lake).rebuild();
    expect(await filesOf(lake)).toEqual(baseFiles(5));
    if (rebuilt === undefined) continue;
    // Manifest, list, metadata, commit, and the hint after them.
    expect(writes).toBeGreaterThanOrEqual(4);
    break;
  }
});

it('a rebuild makes a table whose metadata or manifest is gone, with a new identity only where it must', async () => {
  for (const [missing, sameIdentity] of [
    [/\.metadata\.json$/, false],
    [/snap-.*\.avro$/, false],
    [/-m0\.avro$/, true],
  ] as const) {
    const lake = store();
    const projection = projectionOver(lake);
    await land(lake, 0, 3);
    await projection.round();
    const { 'table-uuid': identity } = metadataOf(lake, projection);
    lake.objects.delete([...lake.objects.keys()].find((key) => missing.test(key))!);
    await expect(filesOf(lake)).rejects.toMatchObject({ code: 'bad-entry' });
    const fresh = projectionOver(lake);
    await fresh.rebuild();
    expect(await filesOf(lake)).toEqual(baseFiles(3));
    expect(metadataOf(lake, fresh)['table-uuid'] === identity).toBe(sameIdentity);
  }
});

it('a rebuild loses no commit that a projector makes meanwhile, and its position is never before it', async () => {
  const lake = store();
  const projection = projectionOver(lake);
  await land(lake, 0, 2);
  await projection.round();
  const put = lake.put.bind(lake);
  let rounds = 0;
  const interfering: typeof put = async (key, ...rest) => {
    // The projector commits just before the first two attempts do.
    if (key.includes('/commits/') && rounds < 2) {
      rounds += 1;
      lake.put = put;
      await land(lake, 1 + rounds, 2 + rounds);
      await projection.round();
      lake.put = interfering;
    }
    await put(key, ...rest);
  };
  lake.put = interfering;
  const { before, commit } = await projectionOver(lake).rebuild();
  expect([before?.n, commit.n, commit.position[3]?.to]).toEqual([3, 4, 40]);
  expect(await filesOf(lake)).toEqual(baseFiles(4));
});

it('a rebuild refuses a ledger that ends before the position of the table, and a ledger without entries', async () => {
  const lake = store();
  await expect(projectionOver(lake).rebuild()).rejects.toMatchObject({ code: 'invalid' });
  const projection = projectionOver(lake);
  await land(lake, 0, 3);
  await projection.round();
  lake.objects.delete(entryKey(sampleLane, 20));
  await expect(projectionOver(lake).rebuild()).rejects.toThrow(
    'the ledger of purchases ends at offset 20 of partition 3, before the position 30 of its Iceberg table; run ./millrace audit',
  );
  expect(await filesOf(lake)).toEqual(baseFiles(3));
});

async function land(lake: CountingStore, from: number, to: number): Promise<void> {
  await recordSamples(lake, from, to);
  await publishSamples(lake, from, to);
}

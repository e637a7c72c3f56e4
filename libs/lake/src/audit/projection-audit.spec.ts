import { purchases } from '@millrace/contracts';
import { beforeEach, expect, it } from 'vitest';
import { catchUpCheckpoints } from '../checkpoint/checkpointer.ts';
import { LakeError } from '../errors.ts';
import { compactedKey } from '../iceberg/projection-keys.ts';
import { Projection } from '../iceberg/projection.ts';
import { readManifest } from '../iceberg/manifest.ts';
import { TableFiles } from '../iceberg/table-files.ts';
import type { Change } from '../iceberg/write-commit.ts';
import { CountingStore } from '../testing/counting-store.ts';
import { publishSamples, recordSamples, sampleEntry, sampleLane as lane } from '../testing/sample-ledger.ts';
import type { AuditReport } from './audit-report.ts';
import { auditTable } from './audit-table.ts';

let store: CountingStore;
let projection: Projection;

beforeEach(() => {
  store = new CountingStore();
  let ids = 0;
  projection = new Projection({
    store,
    bucket: 'lake',
    stream: purchases,
    catalog: { read: async () => undefined, move: async () => undefined },
    writer: 'test',
    now: () => 1000,
    newId: () => `${(ids += 1).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
    rowsOf: async () => 0,
    onPointerFailure: () => undefined,
  });
});

async function land(from: number, to: number): Promise<void> {
  await recordSamples(store, from, to);
  await publishSamples(store, from, to);
}

/** Lands entries and commits them to the Iceberg table. */
async function project(from: number, to: number): Promise<void> {
  await land(from, to);
  for (let round = await projection.round(); round.outcome === 'committed'; round = await projection.round());
}

async function audit(): Promise<AuditReport> {
  return await auditTable({
    store,
    stream: purchases,
    projection: new TableFiles({ store, bucket: 'lake', stream: purchases }),
    now: () => 0,
    // The sample files are not Parquet: the sample chain gives their number of rows.
    rowsOf: async (_store, key) => sampleEntry(Number(/p3-(\d+)-/.exec(key)![1]) / 10).files.find((file) => file.key === key)!.rows,
  });
}

const whats = ({ faults }: AuditReport): string[] => faults.map(({ kind, what }) => `${kind}: ${what}`);

/** Commits a change that no rule of the projector allows. */
async function plant(change: (first: Awaited<ReturnType<typeof readManifest>>[number]) => Omit<Change, 'operation'>): Promise<void> {
  await projection.table.commit(async (tip) => {
    const path = tip!.manifests[0]!.manifest_path;
    const [first] = await readManifest(store.objects.get(projection.table.uris.keyOf(path)!)!.bytes);
    return { operation: 'replace', ...change(first!) };
  });
}

it('the audit compares the Iceberg table up to its position, which may be behind the ledger', async () => {
  expect((await audit()).projection).toBeUndefined();
  await project(0, 8);
  await land(8, 10);
  const { verdict, projection: compared } = await audit();
  expect([verdict, compared]).toEqual(['complete', { commit: 1, files: 16, rows: 70, lostRows: 0, bytes: 16 * 100 + 2 * 28 }]);
});

it.each([
  ['above the newest checkpoint', 40, 45],
  ['at the newest checkpoint', 40, 40],
  ['below the newest checkpoint', 17, 45],
])('the audit adds up the rows of a position %s', async (_where, projected, landed) => {
  await project(0, projected);
  await land(projected, landed);
  await catchUpCheckpoints(store, lane, { every: 10 });
  expect(await audit()).toMatchObject({ verdict: 'complete', projection: { files: 2 * projected } });
});

it('the audit reports a file that was dropped from the Iceberg table', async () => {
  await project(0, 8);
  await plant(({ data_file: { file_path: uri } }) => ({
    added: [],
    removed: { uris: new Set([uri]), manifests: new Set([projection.table.uris.uriOf(firstManifest())]) },
  }));
  const report = await audit();
  expect([report.verdict, whats(report)]).toEqual([
    'faulty',
    ["projection: The Iceberg table has 28 rows of 2019-11-30, where the ledger has 32 up to the table's position."],
  ]);
  expect(report.faults[0]!.next).toContain('./millrace lake rebuild');
});

it('the audit reports a file that is in the Iceberg table twice', async () => {
  await project(0, 8);
  await plant(({ data_file: file }) => ({ added: [file] }));
  expect(whats(await audit())).toEqual([
    `projection: The Iceberg table holds ${sampleEntry(0).files[0]!.key} more than once: readers see its 4 rows several times.`,
    "projection: The Iceberg table has 36 rows of 2019-11-30, where the ledger has 32 up to the table's position.",
  ]);
});

it('the audit reports a compacted file that is missing, and one with another size', async () => {
  await project(0, 8);
  const key = compactedKey('purchases', { partitionKey: 'dt', value: '2019-11-30', generation: 1, commitMax: 9, id: 'c' });
  await store.put(key, new Uint8Array(100));
  await plant(({ data_file: file }) => ({
    added: [{ ...file, file_path: projection.table.uris.uriOf(key) }],
    removed: { uris: new Set([file.file_path]), manifests: new Set([projection.table.uris.uriOf(firstManifest())]) },
  }));
  expect(whats(await audit())).toEqual([]);
  await store.put(key, new Uint8Array(99));
  expect(whats(await audit())).toEqual([`projection: ${key} has 99 bytes where the Iceberg table says 100.`]);
  store.objects.delete(key);
  expect(whats(await audit())).toEqual([`projection: The Iceberg table names ${key}, which is not there: its readers fail.`]);
});

it('the audit reports a position at which no entry ends, and a commit that counts other rows than its manifests', async () => {
  await project(0, 8);
  const { commit } = (await projection.table.read())!;
  const key = [...store.objects.keys()].find((one) => one.includes('/commits/'))!;
  await store.put(key, Buffer.from(JSON.stringify({ ...commit, rows: 71, position: { 3: { to: 75, id: 'b7' } } })));
  expect(whats(await audit())).toEqual([
    'projection: Commit 1 of the Iceberg table counts 16 files with 71 rows, where its manifests have 16 files with 70 rows.',
    'projection: Commit 1 of the Iceberg table names offset 75 of partition 3 as its position, where no entry of the ledger with its id ends.',
  ]);
});

it('the audit reports an Iceberg table that cannot be read, and compares none that it may not read', async () => {
  await project(0, 8);
  const manifest = firstManifest();
  store.objects.delete(manifest);
  expect(whats(await audit())).toEqual([
    `projection: The Iceberg table of purchases cannot be read: ${manifest} is missing, although a snapshot of the table needs it.`,
  ]);
  const list = store.list.bind(store);
  store.list = async (prefix, options) => {
    if (prefix.startsWith('_iceberg/')) throw new LakeError('denied', 'S3: 403');
    return await list(prefix, options);
  };
  expect(await audit()).toMatchObject({ verdict: 'complete', faults: [] });
});

function firstManifest(): string {
  return [...store.objects.keys()].find((key) => key.endsWith('-m0.avro'))!;
}

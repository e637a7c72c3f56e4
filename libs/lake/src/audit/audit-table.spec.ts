import { beforeEach, describe, expect, it } from 'vitest';
import { catchUpCheckpoints } from '../checkpoint/checkpointer.ts';
import { entryBytes, type LedgerEntry } from '../entry.ts';
import { checkpointKey, entryKey, ledgerPrefix } from '../keys.ts';
import { CountingStore } from '../testing/counting-store.ts';
import { publishSamples, recordSamples, sampleEntry, sampleLane as lane } from '../testing/sample-ledger.ts';
import type { AuditReport } from './audit-report.ts';
import { auditTable, type AuditedCatalog } from './audit-table.ts';

const stream = { table: lane.table, partitionKey: 'dt' };
const locationOf = (value: string): string => `s3://b/purchases/dt=${value}/`;
const catalog = (...values: string[]): AuditedCatalog => ({
  locationOf,
  partitions: async () => values.map((value) => ({ value, location: locationOf(value) })),
});
const days = catalog('2019-11-30', '2019-12-01');

let store: CountingStore;
let rowsRead: number;

beforeEach(() => {
  store = new CountingStore();
  rowsRead = 0;
});

/** The sample files are not Parquet: the sample chain gives their number of rows. */
async function rowsOf(_store: unknown, key: string): Promise<number> {
  rowsRead += 1;
  const from = Number(/p3-(\d+)-/.exec(key)![1]);
  return sampleEntry(from / 10).files.find((file) => file.key === key)!.rows;
}

async function build(entries: number, every = 1000): Promise<void> {
  await recordSamples(store, 0, entries);
  await publishSamples(store, 0, entries);
  await catchUpCheckpoints(store, lane, { every });
  store.takeCalls();
}

async function audit(options: { catalog?: AuditedCatalog } = { catalog: days }): Promise<AuditReport> {
  return await auditTable({ store, stream, rowsOf, now: () => 0, ...options });
}

const kinds = ({ faults }: AuditReport): string[] => faults.map(({ kind }) => kind);

describe('auditTable', () => {
  it('a complete table is reported as complete, and every offset is accounted for', async () => {
    await build(8);
    expect(await audit()).toEqual({
      v: 1,
      table: 'purchases',
      verdict: 'complete',
      at: '1970-01-01T00:00:00.000Z',
      tookMs: 0,
      deep: false,
      lanes: [
        {
          topic: lane.topic,
          partition: 3,
          entries: 8,
          checkpointTo: 0,
          spanned: 80,
          rows: 70,
          rejected: 2,
          dropped: 8,
          absent: 0,
          lost: 0,
          gap: 0,
          unlanded: 0,
          files: 16,
          bytes: 16 * 100 + 2 * 28,
          filesRead: 16,
        },
      ],
      catalog: { registered: 2, missing: [], empty: [] },
      losses: [],
      lostOffsets: 0,
      faults: [],
      faultCount: 0,
    });
  });

  it("the audit reads only the newest checkpoint and the entries after it, regardless of the ledger's length", async () => {
    await build(1500);
    const short = await audit();
    const callsShort = store.takeCalls();
    await recordSamples(store, 1500, 3500);
    await publishSamples(store, 1500, 3500);
    await catchUpCheckpoints(store, lane);
    store.takeCalls();
    rowsRead = 0;
    const long = await audit();
    const callsLong = store.takeCalls();
    expect([short.verdict, long.verdict, long.lanes[0]!.rows, long.lanes[0]!.checkpointTo]).toEqual([
      'complete',
      'complete',
      3500 * 9 - 3500 / 4,
      30_000,
    ]);
    expect([callsShort.get, callsLong.get, rowsRead]).toEqual([1 + 500, 1 + 500, 1000]);
    // 2 for the lanes; 4 pages of the ledger; 2 for checkpoints; 8 pages of files and 1 of rejects.
    expect(callsLong).toMatchObject({ put: 0, head: 0, copy: 0, delete: 0, list: 2 + 4 + 2 + 8 + 1 });
  });

  it.each([1000, 10])('the audit reports a deleted file, its rows and the remedy (a checkpoint every %i entries)', async (every) => {
    await build(45, every);
    const [file] = sampleEntry(12).files;
    store.objects.delete(file!.key);
    const report = await audit();
    expect(report.verdict).toBe('faulty');
    expect(report.faults).toEqual([
      {
        kind: 'missing-file',
        partition: 3,
        key: file!.key,
        what: `${file!.key} is not there: 4 rows of partition 3 were deleted by hand.`,
        next: 'Restore it from the version history of the bucket, or run ./millrace repair, which records the loss.',
      },
      {
        kind: 'wrong-count',
        partition: 3,
        what: 'Partition 3 spans 450 offsets, of which 446 are accounted for.',
        next: expect.any(String) as string,
      },
    ]);
    expect(store.takeCalls().get).toBeLessThan(every === 10 ? 30 : 60);
  });

  it.each([1000, 10])('the audit reports a file that no entry names (a checkpoint every %i entries)', async (every) => {
    await build(45, every);
    const strays = [
      sampleEntry(12).files[0]!.key.replace('b12', 'copy'),
      'purchases/dt=2019-11-30/part-0.parquet',
      'purchases/dt=2019-11-30/p7-0-10-b.parquet',
    ];
    for (const key of strays) await store.put(key, new Uint8Array(112));
    await store.put('purchases/dt=2019-11-30/_SUCCESS', new Uint8Array(0));
    const { verdict, faults } = await audit();
    expect([verdict, faults.map(({ kind }) => kind), new Set(faults.map(({ key }) => key))]).toEqual([
      'faulty',
      ['stray-file', 'stray-file', 'stray-file'],
      new Set(strays),
    ]);
  });

  it('the audit reports a repaired file as a loss, and never calls the table complete', async () => {
    await build(45, 10);
    const [file] = sampleEntry(12).files;
    await store.put(file!.key, new Uint8Array(7), { metadata: { 'millrace-lost': '4' } });
    const report = await audit();
    expect([report.verdict, report.lostOffsets, report.lanes[0]!.lost, report.faults]).toEqual(['losses', 4, 4, []]);
    expect(report.losses[0]).toMatchObject({ kind: 'by-hand', key: file!.key, offsets: 4 });
    await store.put(file!.key, new Uint8Array(7), { metadata: { 'millrace-lost': '3' } });
    expect(kinds(await audit())).toEqual(['wrong-file', 'wrong-count']);
  });

  it('the audit reports a gap as a loss', async () => {
    const gap: LedgerEntry = { ...sampleEntry(0), kind: 'gap', files: [], dropped: [], reason: 'the log no longer held these offsets' };
    await build(5);
    await store.put(entryKey(lane, 0), entryBytes(gap));
    for (const file of sampleEntry(0).files) store.objects.delete(file.key);
    const report = await audit();
    expect([report.verdict, report.lanes[0]!.gap, report.losses]).toEqual([
      'losses',
      10,
      [
        {
          kind: 'retention',
          partition: 3,
          offsets: 10,
          what: 'Offsets [0, 10) of partition 3 are a gap: the log no longer held these offsets.',
        },
      ],
    ]);
  });

  it('the audit reports an overwritten file and a file with a wrong number of rows', async () => {
    await build(5);
    await store.put(sampleEntry(1).files[0]!.key, new Uint8Array(50));
    const report = await auditTable({
      store,
      stream,
      now: () => 0,
      rowsOf: async (_, key) => (await rowsOf(undefined, key)) + (key === sampleEntry(2).files[1]!.key ? 1 : 0),
    });
    expect(report.faults.map(({ what }) => what)).toEqual([
      `${sampleEntry(1).files[0]!.key} has 50 bytes where its entry says 101.`,
      `${sampleEntry(2).files[1]!.key} has 6 rows where its entry says 5.`,
      'Partition 3 spans 50 offsets, of which 41 are accounted for.',
    ]);
  });

  it('the audit reports a hole in the chain, a changed entry, and a foreign object', async () => {
    await build(5);
    store.objects.delete(entryKey(lane, 10));
    await store.put(entryKey(lane, 30), entryBytes({ ...sampleEntry(3), prev: 'other' }));
    await store.put(`${ledgerPrefix(lane)}readme`, new Uint8Array(1));
    const { faults } = await audit();
    expect(faults.map(({ what }) => what)).toEqual([
      `${ledgerPrefix(lane)}readme lies among the entries and is none.`,
      'The entry at offset 20 of partition 3 starts at 20, but the chain ends at 10.',
      'The entry at offset 20 of partition 3 names b1 as its predecessor, which is b0.',
      'The entry at offset 30 of partition 3 names other as its predecessor, which is b2.',
      expect.stringContaining('p3-10-20-b1.parquet is visible and no entry names it'),
      expect.stringContaining('p3-10-20-b1.parquet is visible and no entry names it'),
      'Partition 3 spans 50 offsets, of which 40 are accounted for.',
    ]);
  });

  it('the audit reports a deleted entry below the checkpoint', async () => {
    await build(45, 10);
    store.objects.delete(entryKey(lane, 150));
    const { faults } = await audit();
    expect(faults[0]!.what).toBe('Partition 3 has 39 entries below offset 400, where its checkpoint counted 40.');
    expect(faults.map(({ what }) => what)).toContain('The entry at offset 160 of partition 3 starts at 160, but the chain ends at 150.');
  });

  it('the audit reports partitions that the catalog lacks or has at another location', async () => {
    await build(5);
    const report = await audit({
      catalog: {
        locationOf,
        partitions: async () => [
          { value: '2019-11-30', location: 's3://b/elsewhere/' },
          { value: '1999-01-01', location: 's3://b/purchases/dt=1999-01-01' },
        ],
      },
    });
    expect([report.verdict, report.catalog, report.faults.map(({ what }) => what)]).toEqual([
      'faulty',
      { registered: 2, missing: ['2019-12-01'], empty: ['1999-01-01'] },
      [
        '2019-12-01 has files and is not registered in the catalog: engines do not see them.',
        "The catalog has 2019-11-30 at another place: s3://b/elsewhere/, where the table's files are at s3://b/purchases/dt=2019-11-30/.",
        'The catalog has 1999-01-01 without a file: another program than a sink registered it, or its files were deleted.',
      ],
    ]);
  });

  it('a partition that gets its first file and its registration during the audit is not a fault', async () => {
    await build(5);
    const growing: AuditedCatalog = {
      locationOf,
      partitions: async () => {
        await store.put('purchases/dt=2019-12-02/p3-50-60-a.parquet', new Uint8Array(1));
        return await catalog('2019-11-30', '2019-12-01', '2019-12-02', '2019-12-03').partitions();
      },
    };
    expect((await audit({ catalog: growing })).catalog).toEqual({ registered: 4, missing: [], empty: ['2019-12-03'] });
  });

  it('a head that is being landed is not a fault, but a head whose files are missing is one', async () => {
    await build(5);
    await recordSamples(store, 5, 6);
    for (const { staged, bytes } of sampleEntry(5).files) await store.put(staged, new Uint8Array(bytes));
    await store.copy(sampleEntry(5).files[0]!.staged, sampleEntry(5).files[0]!.key);
    const report = await audit();
    expect([report.verdict, report.lanes[0]!.spanned, report.lanes[0]!.unlanded]).toEqual(['complete', 50, 10]);
    store.objects.delete(sampleEntry(5).files[1]!.staged);
    expect(kinds(await audit())).toEqual(['missing-file', 'wrong-count']);
  });

  it('a batch that lands during the audit is not a fault', async () => {
    await build(5);
    const listSized = store.listSized.bind(store);
    store.listSized = async (prefix, options) => {
      if (prefix === 'purchases/') {
        await recordSamples(store, 5, 6);
        await publishSamples(store, 5, 6);
      }
      return await listSized(prefix, options);
    };
    const report = await audit();
    expect([report.verdict, report.lanes[0]!.spanned]).toEqual(['complete', 50]);
  });

  it('the audit reads the entries when a checkpoint was changed by hand', async () => {
    await build(45, 10);
    const key = checkpointKey(lane, 400);
    const checkpoint = JSON.parse(Buffer.from(store.objects.get(key)!.bytes).toString()) as { rows: number; named: object };
    await store.put(key, Buffer.from(JSON.stringify({ ...checkpoint, named: { count: 1, hash: '0'.repeat(16) } })));
    const { verdict, faults } = await audit();
    expect([verdict, faults.map(({ what }) => what)]).toEqual(['complete', []]);
    await store.put(key, Buffer.from(JSON.stringify({ ...checkpoint, rows: checkpoint.rows + 1 })));
    expect(kinds(await audit())).toEqual(['wrong-count']);
  });
});

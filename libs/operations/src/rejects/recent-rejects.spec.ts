import { purchases } from '@millrace/contracts';
import { rejectsKey, type ListedObject } from '@millrace/lake';
import { describe, expect, it } from 'vitest';
import type { LakeObjects } from '../lake/open-lake.ts';
import { recentRejects, type RecentRejectsOptions } from './recent-rejects.ts';

interface PlantedFile {
  readonly partition: number;
  readonly from: number;
  readonly landedAtMs: number;
  /** Reason of each record. Their offsets and times follow each other. */
  readonly reasons: readonly string[];
}

/** A lake that has reject files only. It names the files that are read. */
function lakeOf(files: readonly PlantedFile[]): { readonly lake: LakeObjects; readonly reads: string[] } {
  const reads: string[] = [];
  const topic = purchases.topic.name;
  const objects = new Map<string, { readonly listed: ListedObject; readonly bytes: Buffer }>();
  for (const { partition, from, landedAtMs, reasons } of files) {
    const to = from + reasons.length;
    const key = rejectsKey({ table: purchases.table, topic, partition }, { id: 'batch', from, to });
    const lines = reasons.map((reason, n) =>
      JSON.stringify({
        topic,
        partition,
        offset: from + n,
        timestamp: String(landedAtMs - 1000 + n),
        reason,
        key: null,
        value: null,
        headers: [],
      }),
    );
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    objects.set(key, { listed: { key, bytes: bytes.byteLength, putAtMs: landedAtMs }, bytes });
  }
  const partitions = [...new Set(files.map(({ partition }) => partition))];
  const store = {
    listFolders: async (prefix: string) =>
      await Promise.resolve(prefix.endsWith(`${topic}/`) ? partitions.map((one) => `p=${one}/`) : [`${topic}/`]),
    listSized: async (prefix: string) =>
      await Promise.resolve([...objects.values()].map(({ listed }) => listed).filter(({ key }) => key.startsWith(prefix))),
    get: async (key: string) => {
      reads.push(key);
      return await Promise.resolve(objects.get(key)?.bytes);
    },
  };
  return { lake: { stream: purchases, store: store as unknown as LakeObjects['store'] }, reads };
}

const options = { signal: new AbortController().signal, limit: 100, filesMax: 100, bytesMax: 1_000_000 } satisfies RecentRejectsOptions;
const hour = 3_600_000;

const files: readonly PlantedFile[] = [
  { partition: 0, from: 0, landedAtMs: 10 * hour, reasons: ['a', 'b'] },
  { partition: 1, from: 5, landedAtMs: 12 * hour, reasons: ['a', 'a', 'c'] },
  { partition: 0, from: 10, landedAtMs: 11 * hour, reasons: ['b'] },
];

describe('recentRejects', () => {
  it('the file that landed last comes first, and in a file the highest offset', async () => {
    const { rejects, ...rest } = await recentRejects(lakeOf(files).lake, options);
    expect(rejects.map(({ record: { partition, offset } }) => [partition, offset])).toEqual([
      [1, 7],
      [1, 6],
      [1, 5],
      [0, 10],
      [0, 1],
      [0, 0],
    ]);
    expect(rest).toEqual({ filesTotal: 3, filesRead: 3 });
  });

  it.each([1, 2, 3, 4])('pages of %i give each reject once', async (limit) => {
    const seen: string[] = [];
    let after: RecentRejectsOptions['after'];
    for (let page = 0; page < 10; page += 1) {
      const { rejects, next } = await recentRejects(lakeOf(files).lake, { ...options, limit, after });
      seen.push(...rejects.map(({ record: { partition, offset } }) => `${partition}/${offset}`));
      after = next;
      if (next === undefined) break;
    }
    expect(seen).toEqual(['1/7', '1/6', '1/5', '0/10', '0/1', '0/0']);
  });

  it('a limit of files ends a page, and the next page continues after them', async () => {
    const { lake, reads } = lakeOf(files);
    const first = await recentRejects(lake, { ...options, filesMax: 1 });
    expect([first.filesRead, first.rejects.length, reads.length]).toEqual([1, 3, 1]);
    const second = await recentRejects(lake, { ...options, filesMax: 1, after: first.next });
    expect([second.filesRead, second.rejects.map(({ record }) => record.offset)]).toEqual([2, [10]]);
  });

  it('one file is read whatever its size', async () => {
    expect(await recentRejects(lakeOf(files).lake, { ...options, bytesMax: 1 })).toMatchObject({ filesRead: 1, next: { partition: 1 } });
  });

  it('a filter of the reason leaves out rejects, which are counted all the same', async () => {
    const counted: string[] = [];
    const { rejects } = await recentRejects(lakeOf(files).lake, { ...options, reason: 'a', onSeen: ({ reason }) => counted.push(reason) });
    expect(rejects.map(({ record }) => record.reason)).toEqual(['a', 'a', 'a']);
    expect(counted).toHaveLength(6);
  });

  it('files that landed before the time range are not read, and they count as covered', async () => {
    const { lake, reads } = lakeOf(files);
    const { rejects, filesRead } = await recentRejects(lake, { ...options, fromMs: 11.5 * hour });
    expect([rejects.length, filesRead, reads.length]).toEqual([3, 3, 1]);
  });

  it('another partition is left out', async () => {
    expect((await recentRejects(lakeOf(files).lake, { ...options, partition: 1 })).filesTotal).toBe(1);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { getCheckpoint } from './checkpoint/checkpoint.ts';
import { parseEntry } from './entry.ts';
import { CommitLog } from './iceberg/commit-log.ts';
import { commitKey } from './iceberg/projection-keys.ts';
import { checkpointKey } from './keys.ts';
import type { ObjectStore } from './object-store.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const lane = { table: 'purchases', topic: 'bookstore.purchases.v1', partition: 0 };
const holding = (key: string, bytes: Uint8Array): ObjectStore =>
  ({ get: async (asked: string) => (asked === key ? bytes : undefined), list: async () => [key] }) as unknown as ObjectStore;
const inFormat = (bytes: Buffer, v: number): Buffer => Buffer.from(JSON.stringify({ ...(JSON.parse(bytes.toString()) as object), v }));

describe.each(readdirSync(fixtures))('the state that release %s wrote', (release) => {
  const bytesOf = (name: string): Buffer => readFileSync(join(fixtures, release, name));

  it('an entry of the ledger is read', () => {
    const entry = parseEntry('entry', bytesOf('ledger-entry.json'));
    expect(entry).toMatchObject({ kind: 'batch', from: 774, to: 1043 });
    expect(entry.files.reduce((sum, { rows }) => sum + rows, 0)).toBe(269);
  });

  it('a checkpoint is read', async () => {
    const key = checkpointKey(lane, 1043);
    expect(await getCheckpoint(holding(key, bytesOf('checkpoint.json')), lane, 1043)).toMatchObject({ entries: 3, rows: 1043, files: 20 });
  });

  it('a commit of the projection is read', async () => {
    const key = commitKey(lane.table, 13);
    const commit = await new CommitLog(holding(key, bytesOf('commit.json')), lane.table).head(undefined);
    expect(commit).toMatchObject({ n: 13, files: 115, rows: 73_116, position: { 7: { to: 9150 } } });
  });

  it('an entry and a commit of a later format are refused with both formats', async () => {
    const refusal = 'has format 2, and this release reads format 1: run the release that wrote it';
    expect(() => parseEntry('entry', inFormat(bytesOf('ledger-entry.json'), 2))).toThrow(`entry ${refusal}`);
    const key = commitKey(lane.table, 13);
    const log = new CommitLog(holding(key, inFormat(bytesOf('commit.json'), 2)), lane.table);
    await expect(log.head(undefined)).rejects.toThrow(`${key} ${refusal}`);
  });

  it('a checkpoint of a later format is left aside', async () => {
    const key = checkpointKey(lane, 1043);
    expect(await getCheckpoint(holding(key, inFormat(bytesOf('checkpoint.json'), 2)), lane, 1043)).toBeUndefined();
  });
});

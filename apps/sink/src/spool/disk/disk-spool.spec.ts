import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LedgerEntry } from '@millrace/lake';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DiskSpool } from './disk-spool.ts';
import { ownerHere, type Owner } from './incarnation-owner.ts';
import { manifestOf, readSpooled } from '../spool-manifest.ts';
import type { BatchFiles } from '../spool.ts';
import { TestClock } from '../../testing/test-clock.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-spool-'));
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

async function take(incarnation: string, clock = new TestClock()): Promise<DiskSpool> {
  return await DiskSpool.take(root, incarnation, clock);
}

describe('DiskSpool', () => {
  it('the spool overwrites the remains of a failed write, and truncates the rest when sealed', async () => {
    const files = await (await take('one')).open(0, 'batch');
    await files.write('a', Buffer.from('one\n'), 0);
    await files.write('a', Buffer.from('half of a long li'), 4);
    await files.write('a', Buffer.from('two\n'), 4);
    await files.seal([{ file: 'a', bytes: 8 }]);
    expect(await readFile(files.path('a'), 'utf8')).toBe('one\ntwo\n');
  });

  it('the spool adopts the batches of a dead incarnation once, and leaves a living one alone', async () => {
    const living = await take('living');
    await spooled(await living.open(0, 'of-the-living'));
    await leftByDead('dead');
    await mkdir(join(root, 'just-taken'));
    await mkdir(join(root, 'never-owned'));
    await utimes(join(root, 'never-owned'), 0, 0);
    const mine = await take('mine');
    const left = await mine.left();
    expect(left.map(({ partition, files }) => [partition, files.batchId])).toEqual([[3, 'sealed']]);
    expect((await readdir(root)).toSorted()).toEqual(['just-taken', 'living', 'mine']);
    expect(await mine.left()).toEqual([]);
    expect(await readSpooled(left[0]!.files)).toMatchObject({ entry, takenAt: 1_700_000_000_000 });
  });

  it('the spool continues where it stopped at the next call if it could not adopt every batch', async () => {
    await leftByDead('dead');
    const mine = await take('mine');
    await writeFile(join(root, 'mine', 'p3'), 'in the way');
    await expect(mine.left()).rejects.toThrow('EEXIST');
    await rm(join(root, 'mine', 'p3'));
    expect((await mine.left()).map(({ partition, files }) => [partition, files.batchId])).toEqual([[3, 'sealed']]);
    expect(await mine.left()).toEqual([]);
  });

  it('the spool considers an owner dead when another process has its pid', async () => {
    await leftByDead('recycled', { pid: process.pid, startedAt: '1' });
    expect(await (await take('mine')).left()).toHaveLength(1);
  });

  it.each(['pid namespace', 'host'])(
    'the spool considers an owner in another %s dead when its heartbeat stops, whatever its pid is here',
    async (where) => {
      const elsewhere: Partial<Owner> = where === 'host' ? { host: 'another' } : { pidNamespace: 'pid:[1]' };
      await leftByDead('beats', elsewhere);
      // Another process has its pid here.
      await leftByDead('beats-no-more', { ...(await ownerHere()), ...elsewhere });
      const longAgo = new Date(Date.now() - 61_000);
      await utimes(join(root, 'beats-no-more', 'owner.json'), longAgo, longAgo);
      const mine = await take('mine');
      const [first, ...others] = await mine.left();
      expect(others).toEqual([]);
      expect((await readdir(root)).toSorted()).toEqual(['beats', 'mine']);
      await first!.files.discard();
      // The next call finds it.
      await utimes(join(root, 'beats', 'owner.json'), longAgo, longAgo);
      expect(await mine.left()).toHaveLength(1);
    },
  );

  it('the spool keeps a heartbeat until it is released, even after another sink considered its owner dead', async () => {
    const clock = new TestClock();
    const spool = await take('mine', clock);
    const owner = join(root, 'mine', 'owner.json');
    const written = await readFile(owner, 'utf8');
    const beat = async (): Promise<void> => {
      clock.ring();
      await vi.waitUntil(() => clock.waiting.length === 1);
    };
    await utimes(owner, 0, 0);
    await beat();
    expect((await stat(owner)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
    await rm(join(root, 'mine'), { recursive: true });
    await beat();
    expect(await readFile(owner, 'utf8')).toBe(written);
    await spool.release();
    expect(clock.waiting).toEqual([]);
    expect(await readdir(root)).toEqual([]);
  });

  it('the spool leaves its batches to the next incarnation when it stops, and leaves nothing when no batch waits', async () => {
    const first = await take('first');
    await spooled(await first.open(0, 'waits'));
    await first.release();
    expect(await readdir(root)).toEqual(['first']);
    const second = await take('second');
    await second.release();
    expect(await readdir(root)).toEqual(['first']);
  });

  it.each(['a.parquet', 'manifest.json'])(
    'the spool detects that %s does not match its checksum, and sets the batch aside',
    async (name) => {
      const spool = await take('one');
      const files = await spool.open(0, 'batch');
      await spooled(files);
      await writeFile(files.path(name), (await readFile(files.path(name), 'utf8')).replace('o', 'O'));
      await expect(readSpooled(files)).rejects.toMatchObject({ code: 'spool-corrupt', retryable: false });
      await files.setAside();
      expect(await readdir(join(root, 'corrupt'))).toEqual([expect.stringMatching(/-batch$/)]);
      // A batch that was set aside does not count as left by a dead incarnation.
      expect(await (await take('two')).left()).toEqual([]);
    },
  );

  it('the spool detects lines that differ from the appended ones', async () => {
    const files = await (await take('one')).open(0, 'batch');
    await files.write('a', Buffer.from('one\ntwo\n'), 0);
    await expect(files.verify('a', crc32('one\ntwo\n'))).resolves.toBeUndefined();
    await expect(files.verify('a', crc32('one\ntoo\n'))).rejects.toMatchObject({ code: 'spool-corrupt' });
  });
});

const text = 'one\n';
const sha256 = createHash('sha256').update(text).digest('hex');
const entry: LedgerEntry = {
  v: 1,
  id: 'sealed',
  prev: null,
  kind: 'batch',
  from: 0,
  to: 1,
  dropped: [],
  rejected: [],
  absent: [],
  files: [{ key: 'k', staged: 's', dt: '2019-11-30', rows: 1, bytes: 4, sha256, minTimestamp: 1, maxTimestamp: 1 }],
  topic: { cluster: 'c' },
  writer: 'w',
  contract: 'x/1',
};

async function spooled(files: BatchFiles): Promise<void> {
  await files.write('a.parquet', Buffer.from(text), 0);
  await files.persist(
    ['a.parquet'],
    manifestOf({
      entry,
      takenAt: 1_700_000_000_000,
      bodies: [{ staged: 's', file: 'a.parquet', bytes: 4, sha256, body: files.body('a.parquet', 4) }],
    }),
  );
}

/** A directory whose process is gone: one batch with a manifest, one whose lines were still open. */
async function leftByDead(name: string, owner: Partial<Owner> = {}): Promise<void> {
  const spool = await take(name);
  await spooled(await spool.open(3, 'sealed'));
  await (await spool.open(3, 'open')).write('a', Buffer.from('one'), 0);
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  await writeFile(join(root, name, 'owner.json'), JSON.stringify({ ...(await ownerHere()), pid: child.pid, startedAt: '1', ...owner }));
}

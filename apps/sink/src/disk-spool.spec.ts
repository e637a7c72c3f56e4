import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskSpool } from './disk-spool.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-spool-'));
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

describe('the spool on disk', () => {
  it('writes over what a failed write left, and cuts the rest off when sealed', async () => {
    const files = await (await DiskSpool.take(root, 'one')).open(0, 'batch');
    await files.write('a', 'one\n', 0);
    await files.write('a', 'half of a long li', 4);
    await files.write('a', 'two\n', 4);
    await files.seal([{ file: 'a', bytes: 8 }]);
    expect(await readFile(files.path('a'), 'utf8')).toBe('one\ntwo\n');
  });

  it('keeps the directory of a living incarnation and removes that of a dead one', async () => {
    await DiskSpool.take(root, 'living');
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await mkdir(join(root, 'dead'));
    await writeFile(join(root, 'dead', 'owner.json'), JSON.stringify({ pid: child.pid, startedAt: '1' }));
    await mkdir(join(root, 'just-taken'));
    await mkdir(join(root, 'never-owned'));
    await utimes(join(root, 'never-owned'), 0, 0);
    await DiskSpool.take(root, 'mine');
    expect((await readdir(root)).toSorted()).toEqual(['just-taken', 'living', 'mine']);
  });

  it('takes a pid that was given to another process for dead', async () => {
    await mkdir(join(root, 'recycled'));
    await writeFile(join(root, 'recycled', 'owner.json'), JSON.stringify({ pid: process.pid, startedAt: '1' }));
    await DiskSpool.take(root, 'mine');
    expect(await readdir(root)).toEqual(['mine']);
  });
});

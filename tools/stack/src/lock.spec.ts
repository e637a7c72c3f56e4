import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from '@millrace/runtime/process-life';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './lock.mjs';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  path = join(folder, 'a', 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('withLock', () => {
  it('the lock file names its owner while the lock is held, and is deleted even after a failure', async () => {
    expect(await withLock(path, async () => JSON.parse(readFileSync(path, 'utf8')) as unknown)).toEqual({
      pid: process.pid,
      startedAt: startOf(process.pid),
    });
    await expect(withLock(path, async () => await Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(path)).toBe(false);
  });

  it('a second caller waits while the owner lives, and onWait is called once', async () => {
    const release = Promise.withResolvers<void>();
    const first = withLock(path, async () => await release.promise);
    const told: number[] = [];
    const onWait = (pid: number): void => {
      told.push(pid);
      release.resolve();
    };
    const second = withLock(path, async () => 'second', { onWait });
    await first;
    expect(await second).toBe('second');
    expect(told).toEqual([process.pid]);
  });

  it('the lock of a dead process is taken over, even if its pid was reused', async () => {
    const { pid } = spawnSync('true');
    for (const dead of [
      { pid, startedAt: '1' },
      { pid: process.pid, startedAt: 'another time' },
    ]) {
      await withLock(path, async () => undefined);
      writeFileSync(path, JSON.stringify(dead));
      expect(await withLock(path, async () => 'taken over')).toBe('taken over');
    }
  });

  it('an old lock file without an owner is taken over', async () => {
    await withLock(path, async () => undefined);
    writeFileSync(path, '');
    utimesSync(path, 0, 0);
    expect(await withLock(path, async () => 'taken over')).toBe('taken over');
  });

  it('the wait for the lock ends when the signal aborts', async () => {
    const stop = new AbortController();
    const options = { signal: stop.signal, onWait: () => stop.abort(new Error('stopped')) };
    const waiting = withLock(path, async () => await withLock(path, async () => 'never', options));
    await expect(waiting).rejects.toThrow('stopped');
    expect(existsSync(path)).toBe(false);
  });
});

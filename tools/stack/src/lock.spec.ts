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

describe('a lock', () => {
  it('names its owner while it is held, and is gone after a failure too', async () => {
    expect(await withLock(path, async () => JSON.parse(readFileSync(path, 'utf8')) as unknown)).toEqual({
      pid: process.pid,
      startedAt: startOf(process.pid),
    });
    await expect(withLock(path, async () => await Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(path)).toBe(false);
  });

  it('makes others wait while its owner lives, and announces the wait once', async () => {
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

  it('is taken over from a process that has died, and from one whose pid another process has now', async () => {
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

  it('is taken over when it names no owner and is old', async () => {
    await withLock(path, async () => undefined);
    writeFileSync(path, '');
    utimesSync(path, 0, 0);
    expect(await withLock(path, async () => 'taken over')).toBe('taken over');
  });

  it('is given up on when the signal aborts', async () => {
    const stop = new AbortController();
    const options = { signal: stop.signal, onWait: () => stop.abort(new Error('stopped')) };
    const waiting = withLock(path, async () => await withLock(path, async () => 'never', options));
    await expect(waiting).rejects.toThrow('stopped');
    expect(existsSync(path)).toBe(false);
  });
});

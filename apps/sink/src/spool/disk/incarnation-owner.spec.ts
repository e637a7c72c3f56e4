import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, ownerFile, ownerHere } from './incarnation-owner.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-owner-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function isAliveWith(owner: { readonly pid: number; readonly startedAt?: string }): Promise<boolean> {
  writeFileSync(join(directory, ownerFile), JSON.stringify({ ...(await ownerHere()), ...owner }));
  return await isAlive(directory);
}

describe('the owner of a spool directory', () => {
  it('an owner is alive while its process runs', async () => {
    expect(await isAliveWith({ pid: process.pid })).toBe(true);
  });

  it('an owner is dead when another process has its pid', async () => {
    expect(await isAliveWith({ pid: process.pid, startedAt: 'another time' })).toBe(false);
  });

  it('an owner is dead when its process has ended', async () => {
    expect(await isAliveWith({ pid: spawnSync('true').pid, startedAt: '' })).toBe(false);
  });

  it('an owner whose process is a zombie is dead', async () => {
    // `exec` replaces the shell by a program that never asks for its child's exit code.
    const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [text] = (await once(parent.stdout, 'data')) as [Buffer];
      await expect.poll(async () => await isAliveWith({ pid: Number(text.toString()), startedAt: '' })).toBe(false);
      // The pid still exists.
      expect(process.kill(Number(text.toString()), 0)).toBe(true);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

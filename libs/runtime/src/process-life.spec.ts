import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive, processTree, startInPs, startInStat, startOf } from './process-life.mjs';

const started: { kill(signal: 'SIGKILL'): boolean }[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** Runs a shell script and returns its pid and the first line that it prints. */
async function sh(script: string): Promise<{ pid: number; line: string }> {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  return { pid: child.pid!, line: text.toString().trim() };
}

describe('isAlive', () => {
  it('isAlive is true for this process', () => {
    expect(isAlive(process.pid)).toBe(true);
    expect(startOf(process.pid)).toBe(startOf(process.pid));
  });

  it('isAlive is false for a process that has ended', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    expect(isAlive(child.pid!)).toBe(false);
  });

  it('isAlive is false for a zombie', async () => {
    // `exec` replaces the shell by a program that never asks for its child's exit code.
    const { line } = await sh('sleep 0.5 & echo $!; exec sleep 60');
    const zombie = Number(line);
    await expect.poll(() => isAlive(zombie)).toBe(false);
    // The pid still exists, so a signal can be sent to it.
    expect(process.kill(zombie, 0)).toBe(true);
  });
});

describe('processTree', () => {
  it('processTree finds the descendants of a process, even after their parent has ended', async () => {
    const { pid, line } = await sh('sleep 60 & echo $!; wait');
    const tree = processTree([pid]);
    expect(tree.map((one) => one.pid)).toEqual([pid, Number(line)]);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => processTree(tree).map((one) => one.pid)).toEqual([Number(line)]);
    process.kill(Number(line), 'SIGKILL');
    await expect.poll(() => processTree(tree)).toEqual([]);
  });

  it('processTree omits a process whose start time differs', () => {
    expect(processTree([{ pid: process.pid, parent: 1, startedAt: 'another' }])).toEqual([]);
  });
});

const fields = (state: string): string => `42 (a (b) c) ${state} 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 8675309 1 2`;

describe('process start time', () => {
  it.each(['R', 'S', 'D', 'T'])('the start time of a process in state %s is read from stat and ps', (state) => {
    expect(startInStat(fields(state))).toBe('8675309');
    expect(startInPs(`${state}s   Mon Nov 23 10:00:00 2026\n`)).toBe('Mon Nov 23 10:00:00 2026');
  });

  it('a zombie has no start time', () => {
    expect(startInStat(fields('Z'))).toBeUndefined();
    expect(startInPs('Z+   Mon Nov 23 10:00:00 2026\n')).toBeUndefined();
    expect(startInPs('')).toBeUndefined();
  });
});

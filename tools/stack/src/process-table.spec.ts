import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startOf } from '@millrace/runtime/process-life';
import { ProcessTable } from './process-table.ts';

let home: string;
let table: ProcessTable;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'millrace-stack-'));
  table = new ProcessTable(home);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const plan = (script: string): Parameters<ProcessTable['start']>[0] => ({
  name: 'thing',
  kind: 'part',
  command: process.execPath,
  args: ['-e', script],
  env: process.env,
  cwd: home,
  url: 'http://127.0.0.1:1',
  health: 'http://127.0.0.1:1',
});

describe('the process table', () => {
  it('stop ends a process, and kills it when it does not react', async () => {
    const willing = table.start(plan('setInterval(() => {}, 1000)'));
    expect(table.all()).toEqual([willing]);
    expect(table.isAlive(willing)).toBe(true);
    expect(await table.stop(willing)).toBe('stopped');
    expect(table.all()).toEqual([]);

    const stubborn = table.start(plan("process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000)"));
    while (table.logTail('thing') !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await table.stop(stubborn, { timeoutMs: 100 })).toBe('killed');
    expect(startOf(stubborn.pid)).toBeUndefined();
  });

  it('a process that reuses the pid of a dead one is not stopped', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const stale = { name: 'stale', kind: 'part' as const, pid: child.pid!, startedAt: '1', url: '', health: '' };
    writeFileSync(join(home, 'stale'), '');
    expect(table.isAlive(stale)).toBe(false);
    expect(await table.stop(stale)).toBe('dead');
    expect(startOf(child.pid!)).toBeDefined();
    child.kill('SIGKILL');
  });
});

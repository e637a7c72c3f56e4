import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { isDeepStrictEqual } from 'node:util';
import { isAlive } from '@millrace/runtime/process-life';
import { waitUntil } from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtFile } from '../built-file.ts';
import type { ChildOrder } from './child-attacks.ts';

// A runner that begins an attack and never ends it. It prints the process id of the attack.
const runner = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, process.argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.once('data', () => process.stdout.write(child.pid + '\\n'));
  setInterval(() => undefined, 1000);
`;

let folder: string;
let target: ChildProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-dead-man-'));
  target = spawn('sleep', ['120'], { stdio: 'ignore' });
  // A process that has just been started runs before it sleeps.
  await waitUntil('the target to sleep', () => (surroundings() as { readonly state: string }).state === 'S');
});
afterAll(() => {
  target.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Everything of the target and its surroundings that an attack may change. */
function surroundings(): unknown {
  const status = readFileSync(`/proc/${target.pid}/status`, 'utf8');
  return {
    state: /^State:\s+(\S)/m.exec(status)![1],
    cpus: /^Cpus_allowed_list:\s+(.*)$/m.exec(status)![1],
    limits: readFileSync(`/proc/${target.pid}/limits`, 'utf8'),
    files: readdirSync(folder),
  };
}

it.each<[ChildOrder['kind'], number]>([
  ['freeze', 0],
  ['cpu', 1],
  ['memory', 64],
  ['io', 0],
  ['file-size', 1],
  ['open-files', 8],
])(
  'the attack %s ends and is undone when its runner dies by SIGKILL',
  async (kind, amount) => {
    const before = surroundings();
    const order: ChildOrder = { kind, amount, seconds: 60, pids: [target.pid!], folder };
    const running = spawn(process.execPath, ['-e', runner, builtFile('attacks/attack-child.js'), JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { value } = await createInterface({ input: running.stdout })[Symbol.asyncIterator]().next();
    const attackPid = Number(value);
    // The memory is that of the attack alone.
    expect(isDeepStrictEqual(surroundings(), before)).toBe(kind === 'memory');
    running.kill('SIGKILL');
    await once(running, 'exit');
    await waitUntil('the attack to end', () => !isAlive(attackPid), { timeoutMs: 30_000 });
    expect(surroundings()).toEqual(before);
  },
  60_000,
);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline/promises';
import { isAlive, processTree } from '@millrace/runtime/process-life';
import { expect, it } from 'vitest';
import { builtFile } from '../built-file.ts';
import { attackNames, type AttackPlan } from '../experiment/experiment-schema.ts';
import type { Abandoned } from '../testing/abandoned-runner.ts';

const parts: Readonly<Partial<Record<AttackPlan['attack'], Pick<AttackPlan, 'target' | 'arguments'>>>> = {
  'black-hole': { target: 'kafka' },
  latency: { target: 'kafka', arguments: { latencyMs: 1000 } },
  stall: { target: 's3', arguments: { bytesPerSecond: 1000 } },
  refuse: { target: 'redis' },
  reset: { target: 's3' },
  'error-status': { target: 'glue' },
  dns: { target: 's3' },
  'expired-certificate': { target: 's3' },
  clock: { target: 'purchase', arguments: { offsetSeconds: 7200 } },
  memory: { target: 'purchase', arguments: { amount: 64 } },
};

it.each(attackNames)(
  'nothing of the experiment is left within a minute when its runner is killed during the attack %s',
  async (attack) => {
    const plan: AttackPlan = { attack, seconds: 60, ...(parts[attack] ?? { target: 'purchase' }) };
    const runner = spawn(process.execPath, [builtFile('testing/abandoned-runner.js'), JSON.stringify(plan)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { value } = await createInterface({ input: runner.stdout })[Symbol.asyncIterator]().next();
    const { home, service, ports } = JSON.parse(String(value)) as Abandoned;
    const started = processTree([runner.pid!]).map(({ pid }) => pid);
    expect(existsSync(home)).toBe(true);
    runner.kill('SIGKILL');
    await once(runner, 'exit');
    const left = async (): Promise<string[]> => [
      ...[...started, service].filter((pid) => isAlive(pid)).map((pid) => `process ${pid}`),
      ...(existsSync(home) ? [home] : []),
      ...(await Promise.all(ports.map(isOpen))).flatMap((open, n) => (open ? [`port ${ports[n]}`] : [])),
    ];
    await expect.poll(left, { timeout: 60_000, interval: 100 }).toEqual([]);
  },
  90_000,
);

async function isOpen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

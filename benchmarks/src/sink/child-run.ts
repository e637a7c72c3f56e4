import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { processCost, type ProcessCost } from '../process/process-cost.ts';
import type { RunCost } from './sink-run.ts';

/**
 * Runs a program and measures it between two lines that it prints. The line `begin` means that it is ready to work, the line `end` that its
 * work is done. It waits after `end` until its input closes.
 *
 * @throws Error with the end of its error output when it ends early
 */
export async function runChild(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<RunCost> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  let begin: (ProcessCost & { readonly at: number }) | undefined;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'begin') begin = { ...(await processCost(child.pid!)), at: performance.now() };
      if (line !== 'end' || begin === undefined) continue;
      const seconds = (performance.now() - begin.at) / 1000;
      const { cpuSeconds, peakRssMb } = await processCost(child.pid!);
      return { seconds, cpuSeconds: cpuSeconds - begin.cpuSeconds, peakRssMb };
    }
    throw new Error(`${command} ended before its work was done:\n${errors}`);
  } finally {
    child.stdin.end();
    await ended;
  }
}

import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const processes = new Map<number, string>();
const folders = new Set<string>();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [kind, value] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
    if (kind === 'folder') folders.add(value);
    else {
      const startedAt = startOf(Number(value));
      if (startedAt !== undefined) processes.set(Number(value), startedAt);
    }
  })
  .on('close', () => {
    for (const [pid, startedAt] of processes) {
      // Another process may have got the number.
      if (startOf(pid) !== startedAt) continue;
      for (const signal of ['SIGCONT', 'SIGKILL'] as const) process.kill(pid, signal);
    }
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });

/** Field 22: the tick at which the process started. Undefined without the process. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

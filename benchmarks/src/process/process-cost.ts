import { readFile } from 'node:fs/promises';

/** Resources that a process and its children have used so far. */
export interface ProcessCost {
  /** User and system time. */
  readonly cpuSeconds: number;
  /** Sum of the largest resident sets of the processes. */
  readonly peakRssMb: number;
}

/** Clock ticks of a second in /proc, on every Linux that Node supports. */
const ticksPerSecond = 100;

/**
 * Reads the cost of a process and of its children; children that have ended and were waited for count with their CPU.
 *
 * @throws Error when the process has ended
 */
export async function processCost(pid: number): Promise<ProcessCost> {
  const [stat, status, children] = await Promise.all(
    ['stat', 'status', `task/${pid}/children`].map(async (name) => await readFile(`/proc/${pid}/${name}`, 'utf8')),
  );
  // Fields 14 to 17 are user and system time of the process and of its ended children; the name in field 2 may contain spaces.
  const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  let cpuSeconds = ticks / ticksPerSecond;
  let peakRssMb = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status!)![1]) / 1024;
  for (const child of children!.split(' ').filter((text) => text.trim() !== '')) {
    const cost = await processCost(Number(child)).catch(() => ({ cpuSeconds: 0, peakRssMb: 0 }));
    cpuSeconds += cost.cpuSeconds;
    peakRssMb += cost.peakRssMb;
  }
  return { cpuSeconds, peakRssMb };
}

import { readFile } from 'node:fs/promises';
import { spawnService, waitUntil } from '@millrace/testing';
import { sumOf } from './figures.ts';

/** Cost of a projector process from its start until its work was done. */
export interface ProjectorCost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
  readonly s3Requests: number;
  /** Bytes of data files that compaction wrote. */
  readonly bytesWritten: number;
}

/** Clock ticks of a second in /proc, on every Linux that Node supports. */
const ticksPerSecond = 100;

/** Runs a real projector until `isDone` says so, and measures it. */
export async function runProjector(
  env: Readonly<Record<string, string>>,
  isDone: () => Promise<boolean>,
  timeoutMs: number,
): Promise<ProjectorCost> {
  const start = performance.now();
  const projector = await spawnService('projector', env);
  try {
    await waitUntil('the projector to finish', async () => ((await isDone()) ? true : undefined), { timeoutMs, everyMs: 500 });
    const seconds = (performance.now() - start) / 1000;
    const metrics = await (await fetch(`${projector.url}/metrics`)).text();
    const [stat, status] = await Promise.all(
      ['stat', 'status'].map(async (name) => await readFile(`/proc/${projector.pid}/${name}`, 'utf8')),
    );
    // Fields 14 and 15 are the time in user and system mode; the name in field 2 may contain spaces.
    const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
    return {
      seconds,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      peakRssMb: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status!)![1]) / 1024,
      s3Requests: sumOf(metrics, 'millrace_pipeline_attempts_total', 'pipeline="s3"'),
      bytesWritten: sumOf(metrics, 'millrace_projector_compaction_written_bytes_total'),
    };
  } finally {
    await projector.kill();
  }
}

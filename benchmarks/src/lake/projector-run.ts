import { spawnService, waitUntil } from '@millrace/testing';
import { processCost, type ProcessCost } from '../process/process-cost.ts';
import { sumOf } from '../report/figures.ts';

/** Cost of a projector process from its start until its work was done. */
export interface ProjectorCost extends ProcessCost {
  readonly seconds: number;
  readonly s3Requests: number;
  /** Bytes of data files that compaction wrote. */
  readonly bytesWritten: number;
}

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
    const cost = await processCost(projector.pid);
    return {
      seconds,
      ...cost,
      s3Requests: sumOf(metrics, 'millrace_pipeline_attempts_total', 'pipeline="s3"'),
      bytesWritten: sumOf(metrics, 'millrace_projector_compaction_written_bytes_total'),
    };
  } finally {
    await projector.kill();
  }
}

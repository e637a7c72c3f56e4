import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceProcess } from '@millrace/testing';
import { submit } from './query-calls.ts';

/** One export of a whole result. */
export interface Export {
  readonly seconds: number;
  readonly bytes: number;
  /** Highest resident memory of the API while it sent the result, in MB. */
  readonly apiRssMb: number;
}

/** A result of many rows, and the highest resident memory of the worker while it made it. */
export interface LargeResult {
  readonly id: string;
  readonly seconds: number;
  readonly workerRssMb: number;
}

/** Runs a statement with this many rows. */
export async function makeLargeResult(api: ServiceProcess, worker: ServiceProcess, rows: number): Promise<LargeResult> {
  const sql = `SELECT n, 'Title ' || (n % 997) AS title, n % 80 AS age FROM range(CAST(? AS BIGINT)) t(n)`;
  const start = performance.now();
  const { view } = await submit(api.url, { sql, parameters: [rows] }, 0);
  const watch = new RssWatch(worker);
  for (;;) {
    const response = await fetch(`${api.url}/v1/queries/${view.id}`);
    const { state, error } = (await response.json()) as { state: string; error?: unknown };
    if (state === 'succeeded') return { id: view.id, seconds: (performance.now() - start) / 1000, workerRssMb: watch.stop() };
    if (state === 'failed') throw new Error(`the large result failed: ${JSON.stringify(error)}`);
    await pause(250);
  }
}

/** Reads a whole result without pauses, and keeps nothing of it. */
export async function exportResult(api: ServiceProcess, id: string, accept: string): Promise<Export> {
  const watch = new RssWatch(api);
  const start = performance.now();
  const response = await fetch(`${api.url}/v1/queries/${id}/results`, { headers: { accept } });
  if (response.status !== 200) throw new Error(`the export was answered ${response.status}: ${await response.text()}`);
  let bytes = 0;
  for await (const chunk of response.body!) bytes += (chunk as Uint8Array).byteLength;
  return { seconds: (performance.now() - start) / 1000, bytes, apiRssMb: watch.stop() };
}

/** The highest resident memory of a process, seen 10 times a second. Its sandboxes do not count. */
class RssWatch {
  #highestMb = 0;
  readonly #timer: NodeJS.Timeout;

  constructor({ pid }: ServiceProcess) {
    const look = (): void => {
      const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
      this.#highestMb = Math.max(this.#highestMb, kilobytes / 1024);
    };
    look();
    this.#timer = setInterval(look, 100);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.#highestMb;
  }
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, spawnService, type ServiceProcess } from '@millrace/testing';
import { readMetrics } from '../metrics.ts';

/** Events and bytes of the outbox, and events that Kafka took, as the metrics of the service show them. */
export interface OutboxCounts {
  /** Events that wait. */
  readonly waiting: number;
  readonly bytes: number;
  /** Events acknowledged from the outbox since the start of the process. */
  readonly queued: number;
  /** Events that Kafka acknowledged since the start of the process. */
  readonly published: number;
}

/** The purchase API with an outbox, on a port and a directory that outlive its process. */
export class PurchaseUnderTest {
  readonly url: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #directory: string;
  #process: ServiceProcess;

  private constructor(env: Readonly<Record<string, string>>, directory: string, process: ServiceProcess) {
    this.#env = env;
    this.#directory = directory;
    this.#process = process;
    this.url = process.url;
  }

  /** @param env further settings of the service */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<PurchaseUnderTest> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-outbox-'));
    const whole = { ...env, PURCHASE_OUTBOX_DIR: directory, PURCHASE_PORT: String(await freePort()) };
    return new PurchaseUnderTest(whole, directory, await spawnService('purchase', whole));
  }

  /** Kills it with SIGKILL and starts it again; returns when it is ready. @returns milliseconds without a service */
  async crash(): Promise<number> {
    const begunMs = performance.now();
    await this.#process.kill('SIGKILL');
    this.#process = await spawnService('purchase', this.#env);
    return performance.now() - begunMs;
  }

  /** Resident memory in megabytes. @throws when the process is gone */
  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
  }

  async outbox(): Promise<OutboxCounts> {
    const text = await readMetrics(this.url, 10_000);
    const value = (name: string): number => {
      const series = [...text.matchAll(new RegExp(`^${name}\\{([^}]*)\\} (\\S+)$`, 'gm'))];
      const found = series.find(([, labels]) => !labels!.includes('stream=') || labels!.includes('stream="purchases"'));
      if (found === undefined) throw new Error(`the service does not show ${name}`);
      return Number(found[2]);
    };
    return {
      waiting: value('millrace_purchase_outbox_events'),
      bytes: value('millrace_purchase_outbox_bytes'),
      queued: value('millrace_purchase_outbox_queued_total'),
      published: value('millrace_purchase_events_published_total'),
    };
  }

  /** Stops it and removes its directory. */
  async close(): Promise<void> {
    await this.#process.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

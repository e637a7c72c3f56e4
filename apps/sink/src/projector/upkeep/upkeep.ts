import type { Compaction, Pass, Sweep, Swept } from '@millrace/lake';
import { sleep, type Clock } from '@millrace/resilience';

/** The upkeep of one table. */
export interface KeptTable {
  readonly table: string;
  readonly compaction: Pick<Compaction, 'pass'>;
  readonly sweep: Pick<Sweep, 'run'>;
}

/** Kind of upkeep, as metrics and logs name it. */
export type UpkeepTask = 'compaction' | 'sweep';

/** Receives the events of the upkeep. */
export interface UpkeepObserver {
  onPass(table: string, pass: Pass): void;
  onSwept(table: string, swept: Swept): void;
  /** Receives every failure; the upkeep tries again after the interval of the task. */
  onFailure(table: string, task: UpkeepTask, error: Error): void;
}

/** Intervals of the upkeep. */
export interface UpkeepSettings {
  /** Milliseconds between two checks for small files. 0: no compaction. */
  readonly compactEveryMs: number;
  /** Milliseconds between two sweeps. */
  readonly sweepEveryMs: number;
  readonly clock: Clock;
  readonly observer: UpkeepObserver;
}

/** Compacts and sweeps the Iceberg tables of a process. One pass runs at a time, so that the memory of one is the limit of all. */
export class Upkeep {
  readonly #tables: readonly KeptTable[];
  readonly #settings: UpkeepSettings;
  readonly #stopping = new AbortController();
  readonly #failingSince = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  constructor(tables: readonly KeptTable[], settings: UpkeepSettings) {
    this.#tables = tables;
    this.#settings = settings;
  }

  start(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Ends the work in progress and waits for it. Files of an interrupted pass are deleted by a later sweep. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the projector stops'));
    await this.#running;
  }

  /** Milliseconds since the task of a table began to fail; 0 after a success. */
  failingMs(table: string, task: UpkeepTask): number {
    const since = this.#failingSince.get(`${table} ${task}`);
    return since === undefined ? 0 : this.#settings.clock.now() - since;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { compactEveryMs, sweepEveryMs, clock, observer } = this.#settings;
    const everyMs = compactEveryMs === 0 ? sweepEveryMs : Math.min(compactEveryMs, sweepEveryMs);
    let sweptAt = clock.now();
    while (!signal.aborted) {
      await sleep(everyMs, { clock, signal }).catch(() => undefined);
      if (compactEveryMs > 0) await this.#compact(signal);
      if (signal.aborted || clock.now() - sweptAt < sweepEveryMs) continue;
      sweptAt = clock.now();
      for (const { table, sweep } of this.#tables)
        await this.#attempt(table, 'sweep', signal, async () => observer.onSwept(table, await sweep.run({ signal })));
    }
  }

  /** Makes passes, of every table in turn, until none has a full generation. */
  async #compact(signal: AbortSignal): Promise<void> {
    const busy = new Set(this.#tables);
    while (busy.size > 0 && !signal.aborted) {
      for (const kept of busy) {
        const { table, compaction } = kept;
        let outcome: Pass['outcome'] | undefined;
        await this.#attempt(table, 'compaction', signal, async () => {
          const pass = await compaction.pass({ signal });
          ({ outcome } = pass);
          this.#settings.observer.onPass(table, pass);
        });
        if (outcome !== 'committed') busy.delete(kept);
      }
    }
  }

  async #attempt(table: string, task: UpkeepTask, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
    if (signal.aborted) return;
    const key = `${table} ${task}`;
    try {
      await run();
      this.#failingSince.delete(key);
    } catch (error) {
      if (signal.aborted) return;
      if (!this.#failingSince.has(key)) this.#failingSince.set(key, this.#settings.clock.now());
      this.#settings.observer.onFailure(table, task, error instanceof Error ? error : new Error(String(error)));
    }
  }
}

import type { Projection, ProjectionCommit, Round } from '@millrace/lake';
import { sleep, type Clock } from '@millrace/resilience';

/** Receives the events of a projector. */
export interface ProjectorObserver {
  onRound(table: string, round: Round, head: ProjectionCommit | undefined): void;
  /** Receives every failed round; the projector tries again after its interval. */
  onFailure(table: string, error: Error): void;
}

/** Runs the rounds of one projection, one after another, until it is stopped. */
export class Projector {
  readonly table: string;
  readonly #projection: Pick<Projection, 'round' | 'head'>;
  readonly #everyMs: number;
  readonly #clock: Clock;
  readonly #observer: ProjectorObserver;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #caughtUpAt: number;
  #failure: Error | undefined;

  constructor(
    table: string,
    projection: Pick<Projection, 'round' | 'head'>,
    { everyMs, clock, observer }: { readonly everyMs: number; readonly clock: Clock; readonly observer: ProjectorObserver },
  ) {
    this.table = table;
    this.#projection = projection;
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#observer = observer;
    this.#caughtUpAt = clock.now();
  }

  /** The error of the newest round; undefined after a success. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The newest commit that this process has seen. */
  get head(): ProjectionCommit | undefined {
    return this.#projection.head;
  }

  /** Milliseconds since the table held every landed file, as far as this process knows. */
  get lagMs(): number {
    return this.#clock.now() - this.#caughtUpAt;
  }

  start(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Ends the round in progress and waits for it. A commit that is under way may still be applied; the next round finds it. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the projector stops'));
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const more = await this.#round(signal);
      // A table that is far behind catches up without pauses. A lost race means that another projector works on it.
      if (more) continue;
      await sleep(this.#everyMs, { clock: this.#clock, signal }).catch(() => undefined);
    }
  }

  async #round(signal: AbortSignal): Promise<boolean> {
    const startedAt = this.#clock.now();
    try {
      const round = await this.#projection.round({ signal });
      this.#failure = undefined;
      if (!round.more) this.#caughtUpAt = startedAt;
      this.#observer.onRound(this.table, round, this.#projection.head);
      return round.more && round.outcome === 'committed';
    } catch (error) {
      if (signal.aborted) return false;
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#observer.onFailure(this.table, this.#failure);
      return false;
    }
  }
}

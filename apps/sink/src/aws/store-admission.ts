import { isLakeError, untilDone, type Patience } from '@millrace/lake';
import { sleep, type Clock } from '@millrace/resilience';

/** Interval in milliseconds at which an unsound store is probed again: someone may have replaced the store at its URL. */
const unsoundEveryMs = 60_000;

/** How a {@link StoreAdmission} probes the store. */
export interface StoreAdmissionOptions {
  /** Waits between attempts while the store does not answer. */
  readonly patience: Patience;
  readonly clock: Clock;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
  /** Called for each failed attempt. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Proves the store before the sink takes a record. While the store does not answer, it retries; the sink continues once the store passes. A
 * store that fails the proof keeps the sink out of its group, because two sinks on it would write every row twice.
 */
export class StoreAdmission {
  /** Resolves when the store has passed; never while it has not. */
  readonly done: Promise<void>;
  #failure: Error | undefined;
  #passed = false;

  /** @param probe probes the store once; the number of the attempt is part of its key */
  constructor(probe: (n: number, signal: AbortSignal) => Promise<void>, { patience, clock, signal, onFailure }: StoreAdmissionOptions) {
    const wait: Patience['wait'] = async (attempt, error, ended) => {
      this.#failure = error as Error;
      onFailure(this.#failure);
      if (isLakeError(error, 'unsound-store')) await sleep(unsoundEveryMs, { clock, signal: ended });
      else await patience.wait(attempt, error, ended);
    };
    this.done = this.#prove(probe, { wait }, signal);
  }

  async #prove(probe: (n: number, signal: AbortSignal) => Promise<void>, patience: Patience, signal: AbortSignal): Promise<void> {
    let tries = 0;
    try {
      await untilDone(
        async () => await probe((tries += 1), signal),
        patience,
        signal,
        () => false,
      );
    } catch {
      // Only the signal ends the attempts, because the sink stops.
      await new Promise<never>(() => undefined);
    }
    this.#failure = undefined;
    this.#passed = true;
  }

  get passed(): boolean {
    return this.#passed;
  }

  /** Why the store has not passed; undefined when it has passed, or during the first attempt. */
  get failure(): Error | undefined {
    return this.#failure;
  }
}

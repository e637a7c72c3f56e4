import { isLakeError, untilDone, type Patience } from '@millrace/lake';
import { sleep, type Clock } from '@millrace/resilience';

/** How often a store that failed is tried again, in milliseconds: someone may have replaced it behind its URL. */
const unsoundEveryMs = 60_000;

/** How a {@link StoreAdmission} tries. */
export interface StoreAdmissionOptions {
  /** Waits between tries while the store does not answer. */
  readonly patience: Patience;
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called for each try that failed. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Proves the store before the sink takes a record. A store that does not answer is tried again, and the sink goes on by itself. A store that
 * fails the proof keeps the sink out of its group, because two sinks on it would write every row twice.
 */
export class StoreAdmission {
  /** Resolves when the store has passed; never while it has not. */
  readonly done: Promise<void>;
  #failure: Error | undefined;
  #passed = false;

  /** @param probe tries the store once; the number of the try makes its key */
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
      // Only the signal ends it: the sink stops.
      await new Promise<never>(() => undefined);
    }
    this.#failure = undefined;
    this.#passed = true;
  }

  get passed(): boolean {
    return this.#passed;
  }

  /** Why the store has not passed; undefined when it has, or while it is tried for the first time. */
  get failure(): Error | undefined {
    return this.#failure;
  }
}

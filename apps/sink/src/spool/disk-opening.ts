import { untilDone, type Patience } from '@millrace/lake';
import { isSinkError } from '../errors.ts';

/** How a {@link DiskOpening} goes on while the disk is full. */
export interface DiskOpeningOptions {
  readonly patience: Patience;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told of each attempt that failed. */
  readonly onFailure: (error: Error) => void;
}

/**
 * What the sink writes to its disk before it can take anything. A full disk is an outage like the others: the process is up, says that it
 * is not ready, and goes on as soon as there is room.
 */
export class DiskOpening {
  /** Resolves when everything is written; never, when the signal aborted first. Rejects in {@link begin} only. */
  readonly done: Promise<void>;
  #failure: Error | undefined;

  private constructor(open: () => Promise<void>, failed: () => void, { patience, signal, onFailure }: DiskOpeningOptions) {
    const wait: Patience['wait'] = async (attempt, error, ended) => {
      this.#failure = error as Error;
      onFailure(this.#failure);
      failed();
      await patience.wait(attempt, error, ended);
    };
    // Whoever began it is told of what no room would mend. Later there is nobody left to tell, and it may pass as a full disk does.
    const isFinal = (error: unknown): boolean => this.#failure === undefined && !isSinkError(error, 'disk-full');
    this.done = untilDone(open, { wait }, signal, isFinal).then(
      () => void (this.#failure = undefined),
      async (error: unknown) => {
        if (signal.aborted) await new Promise<never>(() => undefined);
        this.#failure = error as Error;
        throw error;
      },
    );
  }

  /** Why it is not done; undefined when it is. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Begins, and returns when it is done or has found the disk full: then it goes on behind.
   *
   * @param open called again after it threw `disk-full`, whatever it throws then; it goes on where it was
   * @throws what `open` throws the first time, unless it is `disk-full`
   */
  static async begin(open: () => Promise<void>, options: DiskOpeningOptions): Promise<DiskOpening> {
    const failed = Promise.withResolvers<void>();
    const opening = new DiskOpening(open, failed.resolve, options);
    await Promise.race([opening.done, failed.promise]);
    return opening;
  }
}

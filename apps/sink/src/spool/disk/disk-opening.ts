import { untilDone, type Patience } from '@millrace/lake';
import { isSinkError } from '../../errors.ts';

/** How a {@link DiskOpening} retries while the disk is full. */
export interface DiskOpeningOptions {
  readonly patience: Patience;
  /** Ends the retries. */
  readonly signal: AbortSignal;
  /** Called for each failed attempt. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Opens the spool: the sink writes to its disk before it can take any records. A full disk is an outage. The process stays up, reports that
 * it is not ready, and continues as soon as there is room.
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
    // On the first attempt, rethrow errors that freeing space cannot fix. Later no caller waits, and such an error may pass as well.
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

  /** Why the opening is not done; undefined once it is. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Starts the opening. Returns when it is done, or when the disk is full; then it retries in the background.
   *
   * @param open called again after it threw `disk-full`, and from then on after any error; it continues where it stopped
   * @throws the first error of `open`, unless it is `disk-full`
   */
  static async begin(open: () => Promise<void>, options: DiskOpeningOptions): Promise<DiskOpening> {
    const failed = Promise.withResolvers<void>();
    const opening = new DiskOpening(open, failed.resolve, options);
    await Promise.race([opening.done, failed.promise]);
    return opening;
  }
}

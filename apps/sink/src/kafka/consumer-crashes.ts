/** Time without a crash after which a row of crashes has ended, in milliseconds. */
const quietMs = 300_000;

/** Crashes in a row from which the consumer counts as looping: a broker's restart costs one or two. */
export const loopingFrom = 3;

// While crashes follow each other within this time, a joined group in between is not a sign of health.
const loopingMs = 60_000;

// Interval at which a loop is logged as an error.
const errorEveryMs = 60_000;

/** One crash, with its place in the row. */
export interface ConsumerCrash {
  readonly error: Error;
  /** Crashes in this row, this one included. */
  readonly inARow: number;
  /** Whether an operator is needed: the consumer loops, and the log has not reported it for a minute. */
  readonly needsOperator: boolean;
}

/** Counts the consumer's crashes and distinguishes a loop from a single crash. */
export class ConsumerCrashes {
  readonly #now: () => number;
  readonly #onCrash: (crash: ConsumerCrash) => void;
  #inARow = 0;
  #lastMs = -Infinity;
  #errorMs = -Infinity;
  #lastCrash: Error | undefined;
  #lastError: Error | undefined;

  /**
   * @param now milliseconds since the epoch
   * @param onCrash called for each crash
   */
  constructor(now: () => number, onCrash: (crash: ConsumerCrash) => void) {
    this.#now = now;
    this.#onCrash = onCrash;
  }

  /** Records a crash. */
  onCrash(error: Error): void {
    const now = this.#now();
    this.#inARow = now - this.#lastMs > quietMs ? 1 : this.#inARow + 1;
    this.#lastMs = now;
    this.#lastCrash = error;
    this.#lastError = error;
    const needsOperator = this.#inARow >= loopingFrom && now - this.#errorMs >= errorEveryMs;
    if (needsOperator) this.#errorMs = now;
    this.#onCrash({ error, inARow: this.#inARow, needsOperator });
  }

  /** Records an error that is not a crash: a consumer could not start, or the client retries a call. */
  onError(error: Error): void {
    this.#lastError = error;
  }

  /** The newest crash. */
  get lastCrash(): Error | undefined {
    return this.#lastCrash;
  }

  /** The newest error of all, a crash or not. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Crashes of the present row; 0 once no crash came for five minutes. */
  get inARow(): number {
    return this.#now() - this.#lastMs > quietMs ? 0 : this.#inARow;
  }

  /** Whether the consumer is crashing repeatedly. */
  get looping(): boolean {
    return this.#inARow >= loopingFrom && this.#now() - this.#lastMs <= loopingMs;
  }
}

/** An error's message with that of its cause, where the cause says more. */
export function reasonOf(error: Error): string {
  const { message, cause } = error;
  return cause instanceof Error && cause.message !== '' && !message.includes(cause.message) ? `${message}: ${cause.message}` : message;
}

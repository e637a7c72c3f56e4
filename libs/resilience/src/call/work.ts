/** Facts of one attempt, passed to its work. */
export interface AttemptContext {
  /**
   * Aborts when the attempt's time is over or the caller aborts. Pass it on: work that ignores it keeps its bulkhead permit until
   * it ends.
   */
  readonly signal: AbortSignal;
  /** Number of this attempt, from 0. */
  readonly attempt: number;
  /** Epoch milliseconds at which this attempt must be over. Pass it on to the dependency. */
  readonly deadline: number;
}

/** The guarded work: a call to a dependency. */
export type Work<T> = (context: AttemptContext) => T | PromiseLike<T>;

/**
 * The wait before the next attempt of a step. Attempts continue until the signal aborts. The sink never gives up a batch: Kafka has the
 * events, and only an operator may decide that one is lost.
 */
export interface Patience {
  /**
   * Waits after the failure of `attempt` (from 0).
   *
   * @throws the signal's reason when it aborts
   */
  wait(attempt: number, error: unknown, signal: AbortSignal): Promise<void>;
}

/**
 * Runs a step until it succeeds.
 *
 * @throws the signal's reason once it aborts, and at once an error that `giveUpOn` names
 */
export async function untilDone<T>(
  step: () => Promise<T>,
  patience: Patience,
  signal: AbortSignal,
  giveUpOn: (error: unknown) => boolean,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await step();
    } catch (error) {
      signal.throwIfAborted();
      if (giveUpOn(error)) throw error;
      await patience.wait(attempt, error, signal);
    }
  }
}

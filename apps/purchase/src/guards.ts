/** The calls to Kafka, as guards and metrics name them. */
export type KafkaCall = 'open' | 'send' | 'check';

/**
 * Guards each call to Kafka. It may refuse the call, or end it through the signal, which `run` obeys.
 *
 * It must not repeat `send`. The client repeats it under the same producer id and sequence numbers; a repetition from outside would write
 * the events twice.
 */
export type KafkaGuard = <T>(call: KafkaCall, run: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** Time limits of {@link timeoutGuard}, in milliseconds. */
export type KafkaTimeouts<C extends KafkaCall = KafkaCall> = Readonly<Record<C, number>>;

/** A guard that limits the time of each call and does nothing else. */
export function timeoutGuard<C extends KafkaCall>(
  timeoutsMs: KafkaTimeouts<C>,
): <T>(call: C, run: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal) => Promise<T> {
  return async (call, run, signal) => {
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal!.reason);
    const timer = setTimeout(
      () => controller.abort(new Error(`Kafka did not finish "${call}" within ${timeoutsMs[call]} ms`)),
      timeoutsMs[call],
    );
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await run(controller.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  };
}

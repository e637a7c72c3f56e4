/** All access of the library to time. Pass your own clock in tests. */
export interface Clock {
  /** Milliseconds since the epoch. Used for callers' deadlines and for the time of events. */
  now(): number;
  /** Milliseconds since any fixed origin; never steps back. Used for durations. Default: {@link now}. */
  monotonic?(): number;
  /** Calls `run` once after `ms` milliseconds. Returns a handle for {@link clearTimeout}. */
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

// Read the global getter once: the pipeline reads this clock twice per call.
const { performance } = globalThis;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Returns a function that reads the monotonic time of a clock. */
export function monotonicReader(clock: Clock): () => number {
  return clock.monotonic === undefined ? () => clock.now() : () => clock.monotonic!();
}

/**
 * Waits for `ms` milliseconds.
 *
 * @throws the signal's reason as soon as it aborts
 */
export async function sleep(ms: number, { clock, signal }: SleepOptions): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const handle = clock.setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    function abort(): void {
      clock.clearTimeout(handle);
      reject(signal!.reason as Error);
    }
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** Options of {@link sleep}. */
export interface SleepOptions {
  readonly clock: Clock;
  /** Aborting it ends the wait. Default: the wait cannot be aborted. */
  readonly signal?: AbortSignal | undefined;
}

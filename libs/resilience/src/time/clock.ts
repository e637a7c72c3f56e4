/** Time, as far as the library touches it; injected, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch: for deadlines that others set, and for telling when something happened. */
  now(): number;
  /** Milliseconds of a count that never steps back, from any origin: for durations. Default: {@link now}. */
  monotonic?(): number;
  /** Calls back once after `ms` milliseconds. Returns a handle for {@link clearTimeout}. */
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

// Looked up once: the global is a getter, and this clock is read twice a call.
const { performance } = globalThis;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Reads a clock's count that never steps back. */
export function monotonicOf(clock: Clock): () => number {
  return clock.monotonic === undefined ? () => clock.now() : () => clock.monotonic!();
}

/**
 * Waits.
 *
 * @throws the signal's reason as soon as it aborts
 */
export async function sleep(ms: number, { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined }): Promise<void> {
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

/** Limits of {@link waitUntil}. */
export interface WaitOptions {
  /** Maximum wait in milliseconds. Default 30000. */
  readonly timeoutMs?: number;
  /** Milliseconds between two calls of the probe. Default 100. */
  readonly everyMs?: number;
}

/**
 * Calls a probe repeatedly until it returns a value other than undefined, null or false, and returns that value. An error of the probe
 * counts as "not yet".
 *
 * @param what what is waited for, as a phrase that completes "waited for …"
 * @throws Error naming `what` and the last thing seen, with the probe's last error as its cause
 */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T> | T,
  { timeoutMs = 30_000, everyMs = 100 }: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const start = performance.now();
  for (;;) {
    let last: unknown;
    let cause: unknown;
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value as Exclude<T, undefined | null | false>;
      last = value;
    } catch (error) {
      cause = error;
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() - start > timeoutMs)
      throw new Error(`waited ${timeoutMs} ms for ${what}; the last look gave: ${String(last)}`, { cause });
    await new Promise((resolve) => {
      setTimeout(resolve, everyMs);
    });
  }
}

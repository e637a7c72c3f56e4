/**
 * Waits for work that takes no signal of its own. When the signal aborts first, the work goes on and nobody waits for it; what it then throws is dropped.
 *
 * @returns what the work returns, or undefined when the signal aborted first
 * @throws what the work throws before the signal aborts
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return await new Promise<T | undefined>((resolve, reject) => {
    const giveUp = (): void => resolve(undefined);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

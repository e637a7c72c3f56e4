/**
 * Waits for work that takes no signal. When the signal aborts first, the wait ends and the work continues unobserved; its later error is
 * dropped.
 *
 * @returns the result of the work, or undefined when the signal aborted first
 * @throws the error of the work, if it fails before the signal aborts
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return await new Promise<T | undefined>((resolve, reject) => {
    const stopWaiting = (): void => resolve(undefined);
    if (signal.aborted) stopWaiting();
    else signal.addEventListener('abort', stopWaiting, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stopWaiting));
  });
}

/** Waits for the next turn of the event loop, so that all pending callbacks run. */
export async function tick(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

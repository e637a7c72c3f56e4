/** The next turn of the event loop: everything that can go on has gone on. */
export async function tick(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

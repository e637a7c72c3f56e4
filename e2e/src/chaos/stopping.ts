/**
 * A signal that aborts at Ctrl-C, at SIGTERM, and when the command that started this process has ended. The command may be killed, and its
 * end must end the attacks.
 *
 * @param what subject of the reason: "the experiment"
 */
export function stoppingSignal(what: string): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => stopping.abort(new Error(`${what} was ended by ${signal}`)));
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stopping.abort(new Error(`the command that started ${what} has ended`));
  }, 500).unref();
  return stopping.signal;
}

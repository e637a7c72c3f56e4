import { connect, type Socket } from 'node:net';

/** Destination of the traffic of a proxy. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** The protocol's side of a proxy: it listens, relays and produces the faults of its book. */
export interface Relay {
  /** @throws when the port is taken */
  listen(port: number): Promise<void>;
  /** Stops listening and drops every connection. */
  drop(): Promise<void>;
}

/** A connection to the target. */
export function connectTo({ host, port }: Target): Socket {
  return connect({ host, port, noDelay: true, allowHalfOpen: true });
}

/** Waits; returns at once when a signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** Resolves when a signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

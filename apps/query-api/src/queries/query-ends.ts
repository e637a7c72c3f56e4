import type { EventEmitter } from 'node:events';
import type { RedisClient } from '@millrace/redis';
import { queuePrefix } from './queue-prefix.ts';

/** Channel on which workers say which query has ended. */
export function endsChannel(queueName: string): string {
  return `${queuePrefix}:${queueName}:ended`;
}

/** Channel on which changes before the end are announced: the start of a query, and a request to cancel it. */
export function changesChannel(queueName: string): string {
  return `${queuePrefix}:${queueName}:changed`;
}

/** Watches one query until it is closed. */
export interface EndWatch {
  /** Aborts when the query has ended. */
  readonly ended: AbortSignal;
  close(): void;
}

/** Receives messages of the workers about ended queries. A message can be lost, so each waiter also polls. */
export class QueryEnds {
  readonly #redis: RedisClient;
  readonly #watches = new Map<string, Set<AbortController>>();
  readonly #listeners = new Map<string, Set<() => void>>();

  /** @param redis a connection that only subscribes */
  constructor(redis: RedisClient, queueName: string) {
    this.#redis = redis;
    const messages: EventEmitter = redis;
    messages.on('message', (channel: string, id: string) => {
      if (channel === endsChannel(queueName)) for (const controller of this.#watches.get(id) ?? []) controller.abort();
      for (const listener of this.#listeners.get(id) ?? []) listener();
    });
    // The connection subscribes again by itself. Until it is ready, the waiters poll.
    redis.subscribe(endsChannel(queueName), changesChannel(queueName)).catch(() => undefined);
  }

  watch(id: string): EndWatch {
    const controller = new AbortController();
    const watches = this.#watches.get(id) ?? new Set();
    this.#watches.set(id, watches.add(controller));
    return {
      ended: controller.signal,
      close: () => {
        watches.delete(controller);
        if (watches.size === 0) this.#watches.delete(id);
      },
    };
  }

  /** Calls the listener at each change of a query, until the returned function is called. */
  onChange(id: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  close(): void {
    this.#redis.disconnect();
  }
}

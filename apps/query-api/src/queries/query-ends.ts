import type { Redis } from 'ioredis';
import { queuePrefix } from './queue-prefix.ts';

/** Channel on which workers say which query has ended. */
export function endsChannel(queueName: string): string {
  return `${queuePrefix}:${queueName}:ended`;
}

/** Watches one query until it is closed. */
export interface EndWatch {
  /** Aborts when the query has ended. */
  readonly ended: AbortSignal;
  close(): void;
}

/** Hears from the workers which queries have ended. A message can be lost, so those who wait also look from time to time. */
export class QueryEnds {
  readonly #redis: Redis;
  readonly #watches = new Map<string, Set<AbortController>>();

  /** @param redis a connection that only subscribes */
  constructor(redis: Redis, queueName: string) {
    this.#redis = redis;
    redis.on('message', (_channel, id) => {
      for (const controller of this.#watches.get(id) ?? []) controller.abort();
    });
    // The connection subscribes again by itself. Until it is ready, those who wait look.
    redis.subscribe(endsChannel(queueName)).catch(() => undefined);
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

  close(): void {
    this.#redis.disconnect();
  }
}

import { Redis } from 'ioredis';

/** How to reach Redis. */
export interface RedisSettings {
  readonly url: string;
  /** Time one command may take, in milliseconds. */
  readonly commandTimeoutMs: number;
}

/** A connection for requests: a command fails at once while Redis is away, and it fails when the answer does not come. */
export function requestConnection({ url, commandTimeoutMs }: RedisSettings, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    // A command whose connection broke is not sent again behind the pipeline's back.
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    retryStrategy: reconnectMs,
  });
  redis.on('error', onError);
  return redis;
}

/** A connection for a worker, which waits for Redis as long as it takes: BullMQ blocks on it. */
export function workerConnection({ url, commandTimeoutMs }: RedisSettings, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: commandTimeoutMs, retryStrategy: reconnectMs });
  redis.on('error', onError);
  return redis;
}

/** Resolves when the connection is ready, or when it has waited long enough: readiness tells the rest. */
export async function settled(redis: Redis, waitMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, waitMs);
    function done(): void {
      clearTimeout(timer);
      redis.off('ready', done);
      resolve();
    }
    redis.once('ready', done);
  });
}

function reconnectMs(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 5), 2000);
}

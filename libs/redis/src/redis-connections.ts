import type { TlsOptions } from '@millrace/credentials';
import type { Pipeline } from '@millrace/resilience';
import { Redis } from 'ioredis';

/** How to reach Redis. */
export interface RedisSettings {
  readonly url: string;
  /** For a `rediss:` URL. Read again for each connection. */
  readonly tls?: TlsOptions | undefined;
  /** Time to open a connection, in milliseconds. Default 2000. */
  readonly connectTimeoutMs?: number | undefined;
}

const connectTimeoutMsDefault = 2000;

/**
 * How much longer than an attempt a connection may stay silent while commands wait, in milliseconds. Their attempts have timed out by then.
 */
const silenceAfterAttemptMs = 1000;

/**
 * A connection for requests: a command fails at once while Redis is down, and when no answer comes.
 *
 * A command takes no signal, so it outlives its attempt and holds its permit. A connection without a byte for longer than the longest
 * attempt of the pipelines is therefore closed, and another is opened. This also replaces a connection that died silently.
 *
 * @param pipelines those around its commands
 */
export function requestConnection(
  { url, tls, connectTimeoutMs = connectTimeoutMsDefault }: RedisSettings,
  pipelines: readonly Pick<Pipeline, 'settings' | 'events'>[],
  onError: (error: Error) => void,
): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    // A command whose connection broke is not sent again behind the pipeline's back.
    maxRetriesPerRequest: 0,
    connectTimeout: connectTimeoutMs,
    retryStrategy: reconnectMs,
    ...(tls === undefined ? {} : { tls }),
  });
  const follow = (): void => {
    redis.options.socketTimeout = Math.max(...pipelines.map((pipeline) => pipeline.settings().timeout.attemptMs)) + silenceAfterAttemptMs;
  };
  follow();
  for (const { events } of pipelines) events.on('SettingsChanged', follow);
  redis.on('error', onError);
  return redis;
}

/** A connection for a worker or a subscriber, which waits for Redis as long as it takes. */
export function workerConnection(
  { url, tls, connectTimeoutMs = connectTimeoutMsDefault }: RedisSettings,
  onError: (error: Error) => void,
): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    connectTimeout: connectTimeoutMs,
    retryStrategy: reconnectMs,
    ...(tls === undefined ? {} : { tls }),
  });
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

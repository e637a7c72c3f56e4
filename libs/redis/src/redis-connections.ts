import type { EventEmitter } from 'node:events';
import type { TlsOptions } from '@millrace/credentials';
import type { Pipeline } from '@millrace/resilience';
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';

/** A connection to one Redis, or to a Redis Cluster. */
export type RedisClient = Redis | Cluster;

/** Address of a node. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Sentinels that name the master. */
export interface RedisSentinels {
  readonly nodes: readonly RedisNode[];
  /** Name of the group of master and replicas. */
  readonly name: string;
  /** Login at the sentinels themselves. The URL has the login at the master. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** How to reach Redis. */
export interface RedisSettings {
  /** Address, login, database and TLS. With sentinels, or nodes of a cluster, its address is not used. */
  readonly url: string;
  /** For a `rediss:` URL. Read again for each connection. */
  readonly tls?: TlsOptions | undefined;
  /** Time to open a connection, in milliseconds. Default 2000. */
  readonly connectTimeoutMs?: number | undefined;
  readonly sentinels?: RedisSentinels | undefined;
  /** Some nodes of a Redis Cluster. They name the others. */
  readonly clusterNodes?: readonly RedisNode[] | undefined;
}

const connectTimeoutMsDefault = 2000;

/**
 * How much longer than an attempt a connection may stay silent while commands wait, in milliseconds. Their attempts have timed out by then.
 */
const silenceAfterAttemptMs = 1000;

/**
 * How long a connection of a worker to one of several nodes may stay silent while commands wait, in milliseconds. BullMQ blocks for less.
 * A node that hangs keeps its connections after another one took over. ioredis's own `failoverDetector` does not help. A message that comes
 * while it connects ends the connection for good.
 */
const silentNodeMs = 30_000;

/** How a connection treats commands that it cannot send, or whose connection breaks. */
interface Patience {
  readonly single: Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'reconnectOnError'>;
  readonly cluster: Pick<ClusterOptions, 'enableOfflineQueue' | 'retryDelayOnFailover' | 'maxRedirections' | 'retryDelayOnMoved'>;
  /** Default: a connection may stay silent. */
  readonly silentNodeMs?: number;
}

/** The client never repeats a command whose connection broke: the pipeline owns the retries. */
const impatient: Patience = {
  single: { enableOfflineQueue: false, maxRetriesPerRequest: 0, reconnectOnError: (error) => isDemoted(error) && 1 },
  cluster: { enableOfflineQueue: false, retryDelayOnFailover: 0 },
};

// A demoted master has refused the command, so that it may be sent again.
const patient: Patience = {
  single: { maxRetriesPerRequest: null, reconnectOnError: (error) => isDemoted(error) && 2 },
  // While a slot moves, Redis refuses a script whose keys are on both nodes. The client repeats it every 100 ms until the move ends.
  cluster: { maxRedirections: 1000, retryDelayOnMoved: 100 },
  silentNodeMs,
};

/**
 * A connection for requests: a command fails at once while Redis is down, and when no answer comes.
 *
 * A command takes no signal, so it outlives its attempt and holds its permit. A connection without a byte for longer than the longest
 * attempt of the pipelines is therefore closed, and another is opened. This also replaces a connection that died silently.
 *
 * @param pipelines those around its commands
 */
export function requestConnection(
  settings: RedisSettings,
  pipelines: readonly Pick<Pipeline, 'settings' | 'events'>[],
  onError: (error: Error) => void,
): RedisClient {
  const redis = connect(settings, impatient, onError);
  const follow = (): void => {
    const silenceMs = Math.max(...pipelines.map((pipeline) => pipeline.settings().timeout.attemptMs)) + silenceAfterAttemptMs;
    for (const options of optionsOf(redis)) options.socketTimeout = silenceMs;
  };
  follow();
  for (const { events } of pipelines) events.on('SettingsChanged', follow);
  return redis;
}

/** A connection for a worker or a subscriber, which waits for Redis as long as it takes. */
export function workerConnection(settings: RedisSettings, onError: (error: Error) => void): RedisClient {
  return connect(settings, patient, onError);
}

/** Resolves when the connection is ready, or when it has waited long enough: readiness then reports the state. */
export async function settled(redis: RedisClient, waitMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  const events: EventEmitter = redis;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, waitMs);
    function done(): void {
      clearTimeout(timer);
      events.off('ready', done);
      resolve();
    }
    events.once('ready', done);
  });
}

function connect(settings: RedisSettings, patience: Patience, onError: (error: Error) => void): RedisClient {
  const redis = settings.clusterNodes === undefined ? connectOne(settings, patience) : connectCluster(settings, patience);
  const events: EventEmitter = redis;
  events.on('error', onError);
  // A cluster reports the error of each node under this name; its own only says that all nodes failed.
  events.on('node error', onError);
  return redis;
}

function connectOne(settings: RedisSettings, { single, silentNodeMs: socketTimeout }: Patience): Redis {
  const { url, tls, sentinels } = settings;
  const common = { ...commonOf(settings), ...single, retryStrategy: reconnectMs };
  if (sentinels === undefined) return new Redis(url, common);
  const { nodes, name, username, password } = sentinels;
  return new Redis({
    ...common,
    ...loginOf(url),
    ...(socketTimeout === undefined ? {} : { socketTimeout }),
    db: Number(new URL(url).pathname.slice(1)) || 0,
    name,
    sentinels: [...nodes],
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    sentinelRetryStrategy: reconnectMs,
  });
}

function connectCluster(
  settings: RedisSettings,
  { single: { maxRetriesPerRequest }, cluster, silentNodeMs: socketTimeout }: Patience,
): Cluster {
  const { url, tls, clusterNodes = [] } = settings;
  return new Cluster([...clusterNodes], {
    ...cluster,
    clusterRetryStrategy: reconnectMs,
    // The client would resolve a name to an address, which no certificate contains.
    ...(tls === undefined ? {} : { dnsLookup: (address, done) => done(null, address) }),
    redisOptions: {
      ...commonOf(settings),
      ...loginOf(url),
      maxRetriesPerRequest,
      ...(socketTimeout === undefined ? {} : { socketTimeout }),
    },
  });
}

function commonOf({ tls, connectTimeoutMs = connectTimeoutMsDefault }: RedisSettings): Pick<RedisOptions, 'connectTimeout' | 'tls'> {
  return { connectTimeout: connectTimeoutMs, ...(tls === undefined ? {} : { tls }) };
}

function loginOf(url: string): Pick<RedisOptions, 'username' | 'password'> {
  const { username, password } = new URL(url);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
}

/** The options that connections read: those of open ones, and those of later ones to a node of a cluster. */
function optionsOf(redis: RedisClient): { socketTimeout?: number | undefined }[] {
  if (redis instanceof Redis) return [redis.options];
  return [redis.options.redisOptions!, ...redis.nodes('all').map(({ options }) => options)];
}

function isDemoted(error: Error): boolean {
  return error.message.startsWith('READONLY');
}

function reconnectMs(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 5), 2000);
}

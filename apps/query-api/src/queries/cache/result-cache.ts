import type { Pipeline } from '@millrace/resilience';
import type { RedisClient } from '@millrace/redis';
import { queuePrefix } from '../queue-prefix.ts';
import type { LakeVersion } from './lake-versions.ts';

/** A result that later queries may get. */
export interface CachedResult {
  /** The query whose result lies on S3. */
  readonly queryId: string;
  /** The state of the tables that it was computed from. */
  readonly version: LakeVersion;
  /** Epoch milliseconds at which it was complete. */
  readonly finishedAt: number;
  readonly rows: number;
}

/** Limits of the cache. */
export interface ResultCacheSettings {
  /** Name of the queue, which keeps several systems in one Redis apart. */
  readonly name: string;
  /** Life of an entry in seconds. */
  readonly seconds: number;
  readonly entriesMax: number;
}

/**
 * Life of the name of the query that runs a statement for others, in seconds. Its state decides; this only limits the lifetime of
 * unreleased names.
 */
const leaderSeconds = 7200;

const leadScript = `
local current = redis.call('get', KEYS[1]) or ''
if current ~= ARGV[1] then return current end
redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
return ARGV[2]`;

const releaseScript = `
local current = redis.call('get', KEYS[1]) or ''
if string.sub(current, 1, #ARGV[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return current`;

/** Where results are found by the key of their query, and the queries that are on their way. Redis holds references; results are on S3. */
export class ResultCache {
  readonly #redis: RedisClient;
  readonly #settings: ResultCacheSettings;
  readonly #pipeline: Pipeline;

  /** @param pipeline wraps every call; one without fallbacks */
  constructor(redis: RedisClient, settings: ResultCacheSettings, pipeline: Pipeline) {
    this.#redis = redis;
    this.#settings = settings;
    this.#pipeline = pipeline;
  }

  /** The result under a key, and the query that was the last to begin a run for it. */
  async find(key: string): Promise<{ readonly result: CachedResult | undefined; readonly leader: string | undefined }> {
    const [result, leader] = await this.#call(async () => await this.#redis.mget(this.#keyOf(key), this.#leaderKeyOf(key)));
    return { result: result == null ? undefined : (JSON.parse(result) as CachedResult), leader: leader ?? undefined };
  }

  /** Keeps a result. The oldest one goes when there are too many. */
  async keep(key: string, result: CachedResult): Promise<void> {
    const { seconds, entriesMax } = this.#settings;
    await this.#call(async () => {
      const answers = await this.#redis
        .pipeline()
        .set(this.#keyOf(key), JSON.stringify(result), 'EX', seconds)
        .zadd(this.#indexKey, result.finishedAt, key)
        .zremrangebyscore(this.#indexKey, '-inf', result.finishedAt - seconds * 1000)
        .zrange(this.#indexKey, '0', String(-entriesMax - 1))
        .expire(this.#indexKey, seconds)
        .exec();
      for (const [error] of answers ?? []) if (error !== null) throw error;
      const surplus = (answers?.[3]?.[1] ?? []) as string[];
      if (surplus.length === 0) return;
      await this.#redis.del(...surplus.map((old) => this.#keyOf(old)));
      await this.#redis.zrem(this.#indexKey, ...surplus);
    });
  }

  /** Keeps the newer version of a result that is still exact, for as long as the result was kept anyway. */
  async renew(key: string, result: CachedResult): Promise<void> {
    await this.#call(async () => await this.#redis.set(this.#keyOf(key), JSON.stringify(result), 'KEEPTTL', 'XX'));
  }

  /** Removes a result that no longer exists. */
  async forget(key: string): Promise<void> {
    await this.#call(async () => await this.#redis.del(this.#keyOf(key)));
  }

  /**
   * Makes a query the one that runs for the key, unless another one was faster.
   *
   * @param former the leader that is to be replaced, as {@link find} gave it
   * @returns the leader now
   */
  async lead(key: string, former: string | undefined, leader: string): Promise<string> {
    const keys = [this.#leaderKeyOf(key)];
    return await this.#call(async () => String(await this.#redis.eval(leadScript, 1, ...keys, former ?? '', leader, leaderSeconds)));
  }

  /** Takes the lead from a query that will not run, unless another one leads by now. */
  async release(key: string, queryId: string): Promise<void> {
    await this.#call(async () => await this.#redis.eval(releaseScript, 1, this.#leaderKeyOf(key), `${queryId} `));
  }

  async #call<T>(run: () => Promise<T>): Promise<T> {
    return (await this.#pipeline.execute(run, { idempotent: true })) as T;
  }

  get #indexKey(): string {
    return `${queuePrefix}:${this.#settings.name}:cache-index`;
  }

  #keyOf(key: string): string {
    return `${queuePrefix}:${this.#settings.name}:cache:${key}`;
  }

  #leaderKeyOf(key: string): string {
    return `${queuePrefix}:${this.#settings.name}:leader:${key}`;
  }
}

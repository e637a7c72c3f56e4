import type { RedisClient } from '@millrace/redis';
import { queuePrefix } from '../queue-prefix.ts';
import type { QueryJobData, QueryOutcome } from '../query-record.ts';

/** A query without a job: its answer came from another query, or is to come from one. */
export type AnsweredQuery = { readonly data: QueryJobData } & (
  | { readonly outcome: QueryOutcome; readonly following?: undefined }
  | {
      readonly outcome?: undefined;
      /** The query with the job, of the same engine. */
      readonly following: string;
    }
);

/** Limits of {@link AnsweredQueries}. */
export interface AnsweredQueriesSettings {
  readonly name: string;
  /** Life of a query, in seconds. */
  readonly retentionSeconds: number;
  /** Maximum number of queries that are kept. */
  readonly entriesMax: number;
}

/** Queries that need no separate run, in Redis beside the jobs of those that do. */
export class AnsweredQueries {
  readonly #redis: RedisClient;
  readonly #settings: AnsweredQueriesSettings;

  constructor(redis: RedisClient, settings: AnsweredQueriesSettings) {
    this.#redis = redis;
    this.#settings = settings;
  }

  async find(id: string): Promise<AnsweredQuery | undefined> {
    const [text, end] = await this.#redis.mget(this.#keyOf(id), this.#endKeyOf(id));
    if (text == null) return undefined;
    const query = JSON.parse(text) as AnsweredQuery;
    return end == null ? query : { data: query.data, outcome: JSON.parse(end) as QueryOutcome };
  }

  /** Adds a query. An existing one stays as it is. */
  async add(id: string, query: AnsweredQuery): Promise<void> {
    const { retentionSeconds, entriesMax } = this.#settings;
    const commands = this.#redis.pipeline();
    commands.set(this.#keyOf(id), JSON.stringify(query), 'EX', retentionSeconds, 'NX');
    if (query.following !== undefined) {
      commands.sadd(this.#followersKeyOf(query.following), id);
      commands.expire(this.#followersKeyOf(query.following), retentionSeconds);
    }
    commands.zadd(this.#indexKey, query.data.submittedAt, id);
    commands.zremrangebyscore(this.#indexKey, '-inf', query.data.submittedAt - retentionSeconds * 1000);
    commands.expire(this.#indexKey, retentionSeconds);
    commands.zrange(this.#indexKey, '0', String(-entriesMax - 1));
    const answers = (await commands.exec()) ?? [];
    for (const [error] of answers) if (error !== null) throw error;
    const surplus = (answers.at(-1)?.[1] ?? []) as string[];
    if (surplus.length === 0) return;
    await this.#redis.del(...surplus.flatMap((old) => [this.#keyOf(old), this.#endKeyOf(old)]));
    await this.#redis.zrem(this.#indexKey, ...surplus);
  }

  /** Ends a query that follows another, and returns its end. The first end is kept. */
  async end(id: string, outcome: QueryOutcome): Promise<QueryOutcome> {
    const key = this.#endKeyOf(id);
    const taken = await this.#redis.set(key, JSON.stringify(outcome), 'EX', this.#settings.retentionSeconds, 'NX');
    const first = taken === null ? await this.#redis.get(key) : null;
    return first === null ? outcome : (JSON.parse(first) as QueryOutcome);
  }

  /** The queries that follow another one. */
  async followersOf(id: string): Promise<string[]> {
    return await this.#redis.smembers(this.#followersKeyOf(id));
  }

  get #indexKey(): string {
    return `${queuePrefix}:${this.#settings.name}:answered-index`;
  }

  #keyOf(id: string): string {
    return `${queuePrefix}:${this.#settings.name}:answered:${id}`;
  }

  #endKeyOf(id: string): string {
    return `${queuePrefix}:${this.#settings.name}:answered-end:${id}`;
  }

  #followersKeyOf(id: string): string {
    return `${queuePrefix}:${this.#settings.name}:followers:${id}`;
  }
}

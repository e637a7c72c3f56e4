import { createHash } from 'node:crypto';
import { engineNames, type EngineName } from '@millrace/contracts';
import { principalKey, type PrincipalId } from '@millrace/runtime';
import type { RedisClient } from '@millrace/redis';
import { queuePrefix } from './queue-prefix.ts';

/** Entries that one call reads from Redis. */
const chunkSize = 100;

/** A query in the index. */
export interface IndexedQuery {
  readonly id: string;
  readonly engine: EngineName;
  /** Epoch milliseconds. */
  readonly submittedAt: number;
}

/** Limits of the index. */
export interface QueryIndexSettings {
  /** Name of the queue, which keeps indexes of several systems in one Redis apart. */
  readonly name: string;
  /** Age at which a query leaves the index, in milliseconds. */
  readonly ageMsMax: number;
  /** Queries in the index of one principal, and in that of all. */
  readonly entriesMax: number;
}

/**
 * Queries in the order of their submission: of each principal, and of all. It holds ids only; a query that is no longer kept is left out by
 * the reader.
 */
export class QueryIndex {
  readonly #redis: RedisClient;
  readonly #settings: QueryIndexSettings;

  constructor(redis: RedisClient, settings: QueryIndexSettings) {
    this.#redis = redis;
    this.#settings = settings;
  }

  /** Adds a query. Adding it again changes nothing. */
  async add({ id, engine, submittedAt }: IndexedQuery, principal: PrincipalId | undefined): Promise<void> {
    const { ageMsMax, entriesMax } = this.#settings;
    const keys = [this.#keyOf('all'), ...(principal === undefined ? [] : [this.#keyOf(principal)])];
    const commands = this.#redis.pipeline();
    for (const key of keys) {
      commands.zadd(key, 'NX', submittedAt, `${id} ${engine}`);
      commands.zremrangebyscore(key, '-inf', submittedAt - ageMsMax);
      commands.zremrangebyrank(key, 0, -entriesMax - 1);
      commands.pexpire(key, ageMsMax);
    }
    for (const [error] of (await commands.exec()) ?? []) if (error !== null) throw error;
  }

  /**
   * Reads the index from the newest query on, chunk by chunk.
   *
   * @param whose a principal, or all
   * @param before begins behind this query
   * @param until leaves out what was submitted later, in epoch milliseconds
   */
  async *newest(
    whose: PrincipalId | 'all',
    before?: IndexedQuery,
    until = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<readonly IndexedQuery[]> {
    const key = this.#keyOf(whose);
    let last = before;
    for (;;) {
      const max = Math.min(last?.submittedAt ?? Number.POSITIVE_INFINITY, until);
      const found: IndexedQuery[] = [];
      // Several queries may be of one millisecond: Redis orders them by name, from the last to the first.
      for (let offset = 0; found.length === 0; offset += chunkSize) {
        const flat = await this.#redis.zrevrangebyscore(
          key,
          max === Number.POSITIVE_INFINITY ? '+inf' : max,
          '-inf',
          'WITHSCORES',
          'LIMIT',
          offset,
          chunkSize,
        );
        if (flat.length === 0) return;
        found.push(...entriesOf(flat).filter((entry) => last === undefined || isBehind(entry, last)));
      }
      last = found.at(-1)!;
      yield found;
    }
  }

  #keyOf(whose: PrincipalId | 'all'): string {
    const name = whose === 'all' ? 'all' : createHash('sha256').update(principalKey(whose)).digest('base64url');
    return `${queuePrefix}:${this.#settings.name}:index:${name}`;
  }
}

function isBehind(entry: IndexedQuery, other: IndexedQuery): boolean {
  if (entry.submittedAt !== other.submittedAt) return entry.submittedAt < other.submittedAt;
  return `${entry.id} ${entry.engine}` < `${other.id} ${other.engine}`;
}

function entriesOf(flat: readonly string[]): IndexedQuery[] {
  return Array.from({ length: flat.length / 2 }, (_, index) => {
    const [id = '', name] = flat[2 * index]!.split(' ');
    const engine = engineNames.find((one) => one === name);
    return engine === undefined ? [] : [{ id, engine, submittedAt: Number(flat[2 * index + 1]) }];
  }).flat();
}

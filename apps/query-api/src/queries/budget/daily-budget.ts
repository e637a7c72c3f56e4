import { createHash } from 'node:crypto';
import { principalKey, type PrincipalId } from '@millrace/runtime';
import type { RedisClient } from '@millrace/redis';
import { QueryError } from '../../errors.ts';
import { queuePrefix } from '../queue-prefix.ts';

/** Life of a counter in seconds: a query that began before midnight may end after it. */
const keptSeconds = 2 * 86_400;

/** Settings of {@link DailyBudget}. */
export interface DailyBudgetSettings {
  /** Name of the queue, which keeps the counters of several systems in one Redis apart. */
  readonly name: string;
  /** Bytes that the queries of one principal may scan on one day (UTC). 0: no limit. */
  readonly bytesMax: number;
}

/**
 * Counts in Redis the bytes that each principal scans on each day. A query is refused when the budget of the day is used up. Queries that
 * run at that moment end, so that the sum may exceed the budget by their bytes. Anonymous callers share one budget.
 */
export class DailyBudget {
  readonly #redis: Pick<RedisClient, 'get' | 'multi'>;
  readonly #settings: DailyBudgetSettings;

  constructor(redis: Pick<RedisClient, 'get' | 'multi'>, settings: DailyBudgetSettings) {
    this.#redis = redis;
    this.#settings = settings;
  }

  /**
   * Refuses a query when the budget of its principal is used up. Without a limit it makes no call.
   *
   * @param nowMs epoch milliseconds
   * @throws QueryError `too-many-requests` with the time until the next day
   */
  async check(principal: PrincipalId | undefined, nowMs: number): Promise<void> {
    const { bytesMax } = this.#settings;
    if (bytesMax === 0 || principal === undefined) return;
    const scanned = Number((await this.#redis.get(this.#keyOf(principal, nowMs))) ?? 0);
    if (scanned < bytesMax) return;
    throw new QueryError(
      'too-many-requests',
      `Your queries have scanned ${scanned} bytes today, and QUERY_DAILY_BYTES_MAX is ${bytesMax}. Kept results still answer. The budget begins anew at midnight UTC.`,
      { retryAfterSeconds: Math.ceil((86_400_000 - (nowMs % 86_400_000)) / 1000) },
    );
  }

  /** Adds the bytes of a query that ended. Without a limit it makes no call. */
  async add(principal: PrincipalId | undefined, bytes: number, nowMs: number): Promise<void> {
    if (this.#settings.bytesMax === 0 || principal === undefined || bytes <= 0) return;
    const key = this.#keyOf(principal, nowMs);
    const answers = await this.#redis.multi().incrby(key, Math.round(bytes)).expire(key, keptSeconds).exec();
    for (const [error] of answers ?? []) if (error !== null) throw error;
  }

  #keyOf(principal: PrincipalId, nowMs: number): string {
    const whose = createHash('sha256').update(principalKey(principal)).digest('base64url');
    return `${queuePrefix}:${this.#settings.name}:scanned:${new Date(nowMs).toISOString().slice(0, 10)}:${whose}`;
  }
}

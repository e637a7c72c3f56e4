import type { Pipeline } from '@millrace/resilience';
import type { RedisClient } from '@millrace/redis';
import { queuePrefix } from '../queue-prefix.ts';
import type { StaleAnswer } from '../query-record.ts';

/** Longest time for which an answer may replace a missing one, in seconds. */
const answerSeconds = 86_400;
/** Maximum number of answers that are kept; each has at most 256 KiB. */
const answersMax = 200;

/** The last good answers of reports in Redis, for every worker. */
export class RedisAnswers {
  readonly #redis: RedisClient;
  readonly #prefix: string;
  readonly #pipeline: Pipeline;

  /** @param pipeline wraps every call; one without fallbacks */
  constructor(redis: RedisClient, queueName: string, pipeline: Pipeline) {
    this.#redis = redis;
    this.#prefix = `${queuePrefix}:${queueName}:report-answer`;
    this.#pipeline = pipeline;
  }

  /** Keeps an answer. The oldest one goes when there are too many. */
  async save(key: string, answer: StaleAnswer): Promise<void> {
    await this.#pipeline.execute(
      async () => {
        const index = `${this.#prefix}-index`;
        const answers = await this.#redis
          .pipeline()
          .set(`${this.#prefix}:${key}`, JSON.stringify(answer), 'EX', answerSeconds)
          .zadd(index, answer.asOf, key)
          .zrange(index, '0', String(-answersMax - 1))
          .expire(index, answerSeconds)
          .exec();
        for (const [error] of answers ?? []) if (error !== null) throw error;
        const surplus = (answers?.[2]?.[1] ?? []) as string[];
        if (surplus.length === 0) return;
        await this.#redis.del(...surplus.map((old) => `${this.#prefix}:${old}`));
        await this.#redis.zrem(index, ...surplus);
      },
      { idempotent: true },
    );
  }

  async find(key: string): Promise<StaleAnswer | undefined> {
    const text = await this.#pipeline.execute(async () => await this.#redis.get(`${this.#prefix}:${key}`), { idempotent: true });
    return typeof text === 'string' ? (JSON.parse(text) as StaleAnswer) : undefined;
  }
}

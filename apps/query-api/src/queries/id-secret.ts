import { randomBytes } from 'node:crypto';
import { DeadlineExceededError } from '@millrace/resilience';
import type { RedisClient } from '@millrace/redis';
import { QueryError } from '../errors.ts';
import type { CallGuard, RequestLimits } from '../guards.ts';
import { unanswered } from '../unanswered.ts';
import { queuePrefix } from './queue-prefix.ts';

/**
 * The secret that all instances share through Redis when none is configured. The first instance that needs it makes it.
 *
 * It is read for each use: after Redis has lost it, all instances agree on the next one at once.
 */
export class SharedIdSecret {
  readonly #redis: Pick<RedisClient, 'get' | 'set'>;
  readonly #key: string;
  readonly #guard: CallGuard;
  readonly #newSecret: () => string;

  /**
   * @param queueName prefix of the queues' names; instances that share queues share the secret
   * @param newSecret makes a secret that cannot be guessed
   */
  constructor(
    redis: Pick<RedisClient, 'get' | 'set'>,
    queueName: string,
    guard: CallGuard,
    newSecret = (): string => randomBytes(32).toString('base64url'),
  ) {
    this.#redis = redis;
    this.#key = `${queuePrefix}:${queueName}:id-secret`;
    this.#guard = guard;
    this.#newSecret = newSecret;
  }

  /** @throws QueryError `unavailable` or `overloaded` when Redis does not answer, `deadline-exceeded` */
  async read(limits: RequestLimits): Promise<string> {
    try {
      return await this.#guard({ operation: 'id-secret', idempotent: true, ...limits }, async () => await this.#readOrMake());
    } catch (error) {
      if (error instanceof DeadlineExceededError)
        throw new QueryError('deadline-exceeded', 'The deadline of the caller passed before Redis had answered.', { cause: error });
      throw unanswered(error, 'The queue of queries (Redis) does not answer.');
    }
  }

  async #readOrMake(): Promise<string> {
    const known = await this.#redis.get(this.#key);
    if (known !== null) return known;
    await this.#redis.set(this.#key, this.#newSecret(), 'NX');
    const made = await this.#redis.get(this.#key);
    if (made === null) throw new Error('Redis lost a value that was just written.');
    return made;
  }
}

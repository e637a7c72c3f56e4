import { unlessAborted } from '@millrace/resilience';
import type { RedisClient } from '@millrace/redis';
import type { CallGuard } from '../../guards.ts';
import type { LookTurn, Sleep } from './athena-engine.ts';

/** Rate of the polls of all workers together. */
export interface LookRate {
  /** Key in Redis that the workers of one queue share. */
  readonly key: string;
  readonly perSecond: number;
}

/**
 * A token bucket as one time: that at which the bucket would be full again (GCRA). It takes a token and returns the milliseconds until that
 * token is there. The bucket holds the tokens of one second. Redis gives the time, so the clocks of the workers do not matter.
 */
const takeToken = `
local now = redis.call('TIME')
local ms = now[1] * 1000 + now[2] / 1000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), ms) + 1000 / tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - ms) + 1000)
return math.ceil(math.max(0, full - ms - 1000))
`;

/**
 * Turns that the workers share through Redis: AWS limits the polls of an account, not those of one process. While Redis does not answer,
 * the worker polls at once, limited only by its own intervals.
 */
export function sharedLookTurns(redis: Pick<RedisClient, 'eval'>, { key, perSecond }: LookRate, guard: CallGuard, sleep: Sleep): LookTurn {
  return async (signal) => {
    const asking = guard({ operation: 'athena-look', idempotent: true, signal }, async () =>
      Number(await redis.eval(takeToken, 1, key, perSecond)),
    );
    const waitMs = await unlessAborted(asking, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (waitMs !== undefined && waitMs > 0) await sleep(waitMs, signal);
  };
}

import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { CallGuard } from './guards.ts';
import { queryPipelines, remedyOf } from './resilience.ts';
import { RedisRefusals } from './redis-refusals.ts';

const straight: CallGuard = async (_call, run) => await run(new AbortController().signal);
const call = { operation: 'look', idempotent: true };
const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

function refusalsOf(): { redis: EventEmitter; over: (error: Error) => Promise<unknown> } {
  const redis = new EventEmitter();
  const refusals = new RedisRefusals();
  refusals.watch(redis);
  const guard = refusals.over(straight);
  const over = async (error: Error): Promise<unknown> => {
    try {
      return await guard(call, async () => {
        throw error;
      });
    } catch (caught) {
      return caught;
    }
  };
  return { redis, over };
}

const notWritable = new Error("Stream isn't writeable and enableOfflineQueue options is false");

it.each(['NOAUTH Authentication required.', 'WRONGPASS invalid username-password pair', 'DENIED Redis is running in protected mode'])(
  'a call names the refusal that only the connection heard: %s',
  async (words) => {
    const { redis, over } = refusalsOf();
    redis.emit('error', reply(words));
    const error = await over(notWritable);
    expect(error).toMatchObject({ name: 'RedisRefused', message: `Redis: ${words}` });
    // Redis is healthy: its circuit stays closed, and the log names the remedy.
    expect(queryPipelines.redis.classify(error)).toBe('invalid');
    expect(remedyOf(error)).toContain('REDIS_URL');
  },
);

it('a call names the certificate that only the connection saw', async () => {
  const { redis, over } = refusalsOf();
  redis.emit('error', Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' }));
  const error = await over(notWritable);
  expect(error).toMatchObject({ name: 'RedisRefused', message: 'Redis: certificate has expired' });
  expect(remedyOf(error)).toContain('REDIS_TLS_CA_FILE');
});

it('a refused command names its own refusal', async () => {
  const { over } = refusalsOf();
  expect(await over(reply('NOPERM this user has no permissions'))).toMatchObject({ message: 'Redis: NOPERM this user has no permissions' });
});

it('neither a lost connection nor an ordinary error is a refusal, and a ready connection ends a refusal', async () => {
  const { redis, over } = refusalsOf();
  redis.emit('error', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
  redis.emit('error', reply('ERR unknown command'));
  expect(await over(notWritable)).toBe(notWritable);
  redis.emit('error', reply('NOAUTH Authentication required.'));
  redis.emit('ready');
  expect(await over(notWritable)).toBe(notWritable);
  expect(queryPipelines.redis.classify(notWritable)).toBe('transient');
  expect(remedyOf(notWritable)).toBeUndefined();
});

import { certificateProblemOf } from '@millrace/credentials';
import type { EventEmitter } from 'node:events';
import type { CallGuard } from './guards.ts';
import { CodedError } from '@millrace/resilience';

// The first word of an error that Redis replies is its code: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
const refusingCodes: ReadonlySet<string> = new Set(['NOAUTH', 'WRONGPASS', 'DENIED', 'NOPERM']);

/** Redis answered and refuses this client. Waiting does not help. */
export class RedisRefused extends CodedError {
  readonly code = 'redis-refused';
  /** Whether the same command may succeed later: once an operator has acted. */
  readonly retryable = true;

  constructor(reply: Error) {
    super(`Redis: ${reply.message}`, { cause: reply });
  }
}

/** The remedy for a Redis that refuses. */
export const redisRemedy =
  'check user and password in REDIS_URL, the ACL of the user, the protected mode of the server, and with TLS the files of REDIS_TLS_CA_FILE and REDIS_TLS_CERT_FILE';

/**
 * Remembers how Redis refused a connection. ioredis gives the reply to the listeners of the connection alone; commands only learn that the
 * connection is not writable.
 */
export class RedisRefusals {
  #last: Error | undefined;

  /** Listens to a connection. */
  watch(redis: Pick<EventEmitter, 'on'>): void {
    const remember = (error: Error): void => {
      if (isRefusal(error)) this.#last = error;
    };
    redis.on('error', remember);
    // A node of a cluster.
    redis.on('node error', remember);
    redis.on('ready', () => void (this.#last = undefined));
  }

  /** Wraps calls to Redis, so that a failure names the refusal. */
  over(guard: CallGuard): CallGuard {
    return async (call, run) =>
      await guard(call, async (signal) => {
        try {
          return await run(signal);
        } catch (error) {
          const reply = error instanceof Error && isRefusal(error) ? error : this.#last;
          throw reply === undefined ? error : new RedisRefused(reply);
        }
      });
  }
}

function isRefusal(error: Error): boolean {
  const { name, message, code } = error as Error & { readonly code?: unknown };
  if (certificateProblemOf(code) !== undefined) return true;
  return name === 'ReplyError' && refusingCodes.has(message.split(' ', 1)[0]!);
}

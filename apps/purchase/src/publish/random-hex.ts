import { randomBytes } from 'node:crypto';

/** Digits drawn from the system at once: enough for about 240 purchases, and small beside a connection's buffers. */
const poolBytes = 8192;

/** Draws hexadecimal digits. */
export type DrawHex = (digits: number) => string;

/**
 * Returns a source of random hexadecimal digits. It asks the system for many digits at once, because the fixed cost of one call exceeds the
 * cost of the bytes. Each digit is handed out once; digits too few for a draw are dropped.
 *
 * @param fill Returns that many random bytes. Default: the cryptographic source of Node.
 */
export function pooledHex(fill: (bytes: number) => Buffer = randomBytes): DrawHex {
  let pool = '';
  let at = 0;
  return (digits) => {
    if (at + digits > pool.length) {
      pool = fill(poolBytes).toString('hex');
      at = 0;
    }
    const drawn = pool.slice(at, at + digits);
    at += digits;
    return drawn;
  };
}

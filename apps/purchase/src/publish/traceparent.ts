import { randomBytes } from 'node:crypto';

const valid = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{0,256})?$/;

/**
 * The W3C trace context that goes with an event: the caller's own when it is valid, otherwise the root of a new, unsampled trace, so
 * that one id follows every event to its row.
 */
export function traceparentOf(header: string | string[] | undefined, random: (bytes: number) => Buffer = randomBytes): string {
  if (typeof header === 'string' && valid.test(header)) return header.slice(0, 55);
  return `00-${random(16).toString('hex')}-${random(8).toString('hex')}-00`;
}

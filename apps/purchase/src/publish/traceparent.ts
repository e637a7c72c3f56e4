import type { DrawHex } from './random-hex.ts';

const valid = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{0,256})?$/;

/** Digits of a trace id and of a parent id. */
const traceDigits = 32;
const parentDigits = 16;

/**
 * Returns the W3C trace context of an event: the caller's own if it is valid, otherwise the root of a new, unsampled trace. So one id
 * follows every event to its row.
 */
export function traceparentOf(header: string | string[] | undefined, draw: DrawHex): string {
  if (typeof header === 'string' && valid.test(header)) return header.slice(0, 55);
  const random = draw(traceDigits + parentDigits);
  return `00-${random.slice(0, traceDigits)}-${random.slice(traceDigits)}-00`;
}

import { createHmac } from 'node:crypto';
import { principalKey, type PrincipalId } from '@millrace/runtime';

/**
 * The id of every query that a principal submits under one Idempotency-Key. Principals never share an id, and without the secret no one can compute it.
 *
 * @param secret known to the instances of the query API only
 * @returns a UUID of version 8 with 122 bits of an HMAC-SHA256
 */
export function idOfKey(secret: string, principal: PrincipalId, key: string): string {
  const hex = createHmac('sha256', secret)
    .update(JSON.stringify([principalKey(principal), key]))
    .digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) % 4]!;
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

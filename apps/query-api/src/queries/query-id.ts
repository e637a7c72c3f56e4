import { createHmac } from 'node:crypto';
import { principalKey, uuidV8, type PrincipalId } from '@millrace/runtime';

/**
 * The id of every query that a principal submits under one Idempotency-Key. Principals never share an id, and without the secret no one can
 * compute it.
 *
 * @param secret known to the instances of the query API only
 * @returns a UUID of version 8 with 122 bits of an HMAC-SHA256
 */
export function idOfKey(secret: string, principal: PrincipalId, key: string): string {
  return uuidV8(
    createHmac('sha256', secret)
      .update(JSON.stringify([principalKey(principal), key]))
      .digest('hex'),
  );
}

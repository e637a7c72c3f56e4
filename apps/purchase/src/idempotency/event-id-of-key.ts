import { hash } from 'node:crypto';
import { uuidV8, type PrincipalId } from '@millrace/runtime';

/** The name that a client gives to its request: the key, within its principal and the stream. */
export interface RequestName {
  readonly principal: PrincipalId;
  /** Name of the stream. */
  readonly stream: string;
  /** Value of `Idempotency-Key`. */
  readonly key: string;
}

/**
 * The id of the event that a key names: a UUID of version 8 of the SHA-256 of `JSON.stringify([kind, issuer, subject, stream, key])`.
 * Each instance
 * and each version of the service computes the same id. Changing the derivation would make one event two.
 *
 * @param index place of an item in a batch; it becomes the last element of the array. Without it: a single event
 */
export function eventIdOfKey({ principal: { kind, issuer, subject }, stream, key }: RequestName, index?: number): string {
  const parts = [kind, issuer, subject, stream, key];
  return uuidV8(hash('sha256', JSON.stringify(index === undefined ? parts : [...parts, index])));
}

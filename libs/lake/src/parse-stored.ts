import type { Validator } from '@millrace/contracts';
import type { Static, TSchema } from 'typebox';
import { LakeError } from './errors.ts';

/**
 * Parses a stored JSON object and checks it against its schema.
 *
 * @throws LakeError `bad-entry` with the key and the fault
 */
export function parseStored<S extends TSchema>(key: string, bytes: Uint8Array, validator: Validator<S>): Static<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new LakeError('bad-entry', `${key} is not JSON`, { key, cause });
  }
  const [violation] = validator.violations(value);
  if (violation !== undefined) throw new LakeError('bad-entry', `${key}: ${violation.field} ${violation.message}`, { key });
  return value as Static<S>;
}

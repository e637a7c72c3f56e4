import type { Validator } from '@millrace/contracts';
import type { Static, TSchema } from 'typebox';
import { LakeError } from './errors.ts';

/** Format of the stored JSON objects that this release writes and reads, as their field `v`. */
const format = 1;

/**
 * Parses a stored JSON object and checks it against its schema.
 *
 * @throws LakeError `bad-entry` with the key and the fault, or with the format when a later release wrote it
 */
export function parseStored<S extends TSchema>(key: string, bytes: Uint8Array, validator: Validator<S>): Static<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new LakeError('bad-entry', `${key} is not JSON`, { key, cause });
  }
  const { v } = (value ?? {}) as { readonly v?: unknown };
  if (typeof v === 'number' && v > format)
    throw new LakeError('bad-entry', `${key} has format ${v}, and this release reads format ${format}: run the release that wrote it`, {
      key,
    });
  const [violation] = validator.violations(value);
  if (violation !== undefined) throw new LakeError('bad-entry', `${key}: ${violation.field} ${violation.message}`, { key });
  return value as Static<S>;
}

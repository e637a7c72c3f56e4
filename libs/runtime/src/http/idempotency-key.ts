import { idempotencyKey } from '@millrace/contracts';
import { ProblemError } from '../errors.ts';

const pattern = new RegExp(idempotencyKey.pattern);

/**
 * Reads the value of `Idempotency-Key`. Quotes are part of the key, so a client must always write the key in the same way.
 *
 * @param header the header as Node gives it: Node joins repeated headers by a comma and a space, which no key contains
 * @returns the key; undefined without the header
 * @throws ProblemError `validation` when it is not 1 to 255 visible ASCII characters
 */
export function idempotencyKeyOf(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && pattern.test(header)) return header;
  const message = `must be 1 to ${idempotencyKey.lengthMax} visible ASCII characters`;
  throw new ProblemError('validation', {
    detail: `${idempotencyKey.name} ${message}.`,
    errors: [{ field: idempotencyKey.name, message, limit: idempotencyKey.lengthMax }],
  });
}

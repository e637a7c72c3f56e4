import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** A purchase with the attributes of its CloudEvent. */
export interface ReceivedPurchase {
  /** Identity of the event. A repeated event has the same one. */
  readonly id: string;
  readonly type: string | undefined;
  readonly source: string | undefined;
  readonly time: string | undefined;
  /** The JSON value of the message. It may have fields that this consumer does not know. */
  readonly data: { readonly eventId: string; readonly [field: string]: unknown };
}

/** A record that is not a purchase. It stays invalid at every retry, so log it and go on. */
export class InvalidPurchaseError extends Error {
  override readonly name = 'InvalidPurchaseError';
}

// The published schema. A team in another repository keeps a copy of this file.
const schemaFile = new URL('../../docs/schemas/published/purchases.schema.json', import.meta.url);
// Without `strict`, Ajv ignores keywords that are not its own: the schema has some for the table.
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);

/**
 * Reads one record: CloudEvents 1.0 in binary mode. Headers are attributes and the value is the data.
 *
 * @param value the parsed JSON of the record
 * @throws InvalidPurchaseError when the value breaks the schema
 */
export function readPurchase(headers: Readonly<Record<string, string>>, value: unknown): ReceivedPurchase {
  if (!validate(value)) {
    const errors = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath.slice(1)} ${message}`.trim());
    throw new InvalidPurchaseError(`The record is not a purchase: ${errors.join('; ')}.`);
  }
  const data = value as ReceivedPurchase['data'];
  // Producers other than the purchase API may leave out the headers.
  return { id: headers['ce_id'] ?? data.eventId, type: headers['ce_type'], source: headers['ce_source'], time: headers['ce_time'], data };
}

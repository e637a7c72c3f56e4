import { Type, type TInteger, type TString } from 'typebox';

/** A UUID in either case. */
export const uuidPattern = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

/**
 * Free text without NUL and unpaired surrogates. JSON can spell them, but neither UTF-8 nor Parquet can carry them. The API refuses them,
 * so that the sink never rejects an acknowledged event for them.
 *
 * Every engine must read the pattern. Python's `re` refuses `\p{Cs}`, and Rust's `regex` refuses a surrogate. Python also refuses
 * `\u{10ffff}`, so the pattern holds that character itself.
 */
export const textPattern = '^[\\u0001-\\ud7ff\\ue000-\u{10ffff}]*$';

/** Largest time in epoch seconds: the last second of 2099. */
const epochSecondsMax = 4_102_444_799;

/** Facts about a field of an event. */
export interface FieldFacts {
  /**
   * Parquet field id of the column. It never changes and never belongs to another column, so that a table format can be projected from the
   * files.
   */
  readonly fieldId: number;
  readonly description: string;
}

/** A UUID, stored in lower case. */
export function uuid({ fieldId, description }: FieldFacts): TString {
  return Type.String({ pattern: uuidPattern, description, 'x-field-id': fieldId, 'x-lower-case': true });
}

/** Text of 1 to `charactersMax` characters, counted in Unicode code points. */
export function text({ fieldId, description, charactersMax }: FieldFacts & { readonly charactersMax: number }): TString {
  return Type.String({ minLength: 1, maxLength: charactersMax, pattern: textPattern, description, 'x-field-id': fieldId });
}

/** A whole number from `minimum` to `maximum`. */
export function integer({
  fieldId,
  description,
  minimum,
  maximum,
}: FieldFacts & { readonly minimum: number; readonly maximum: number }): TInteger {
  return Type.Integer({ minimum, maximum, description, 'x-field-id': fieldId });
}

/**
 * A time in seconds since 1970, until the end of 2099. The limit does not depend on a clock: a replay accepts the same events as the first
 * day.
 */
export function epochSeconds({ fieldId, description }: FieldFacts): TInteger {
  return Type.Integer({ minimum: 0, maximum: epochSecondsMax, description, 'x-field-id': fieldId, 'x-column-type': 'timestamp' });
}

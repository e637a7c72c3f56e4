import { isUtf8 } from 'node:buffer';
import { textPattern, uuidPattern, type Stream } from '@millrace/contracts';
import { digitsOfUuid, hexDigitOf, uuidLength, wordsPerId } from '../../../dedup/ids/id-words.ts';

/** Result of a scan for a record in another form. This says nothing about its validity. */
export const notPlain = -1;

interface PlainFieldFacts {
  /** Bytes before the value, its opening quote included: `,"eventId":"`. */
  readonly key: Uint8Array;
  readonly required: boolean;
}

interface PlainUuid extends PlainFieldFacts {
  readonly kind: 'uuid';
  readonly isId: boolean;
}

interface PlainText extends PlainFieldFacts {
  readonly kind: 'text';
  readonly bytesMin: number;
  readonly bytesMax: number;
}

interface PlainInteger extends PlainFieldFacts {
  readonly kind: 'integer';
  readonly isTime: boolean;
  readonly minimum: number;
  readonly maximum: number;
}

type PlainField = PlainUuid | PlainText | PlainInteger;

const [quote, minus, zero, comma, openBrace, closeBrace, lineBreak] = Buffer.from('"-0,{}\n') as unknown as readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
// Below 2^53, so the number is exact.
const digitsMax = 15;
const linePrefix = Buffer.from('{"_offset":');
const offsetDigitsMax = 16;

/**
 * Class of a byte inside a text.
 *
 * - 0: ASCII that JSON writes as it is.
 * - 1: part of another character.
 * - 2: end of the plain text.
 */
const textClass = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 ? 1 : byte < 0x20 || byte === quote || byte === '\\'.charCodeAt(0) ? 2 : 0,
);

/**
 * The fast path of the check, compiled from the schema: one pass over the bytes of a record as the purchase API writes it. The fields are
 * in the order of the declaration, without white space, escapes or unknown fields. Whatever it accepts, the schema accepts too, and the
 * line is the same. A property test compares both. A record in another form takes the exact path.
 *
 * A scanner has the parts of the last accepted record in its properties, because an object for each record costs more than the scan.
 */
export class PlainScanner {
  /** Event time of the last accepted record in epoch seconds. */
  eventTime = 0;
  /** Where the event id of the last accepted record begins in the target. */
  idAt = 0;
  /** The event id of the last accepted record. */
  readonly idWords = new Uint32Array(wordsPerId);
  readonly #fields: readonly PlainField[];
  /** Whether a text of this record has a character outside ASCII. */
  #hasOther = false;

  private constructor(fields: readonly PlainField[]) {
    this.#fields = fields;
  }

  /** Compiles the scanner. Undefined if the stream has a field of a type without a plain form. */
  static of({ eventSchema, columns, timeField }: Stream): PlainScanner | undefined {
    const { properties, required = [] } = eventSchema as unknown as { properties: Record<string, object>; required?: string[] };
    const names = Object.keys(properties);
    const fields = names.flatMap((name, n) => {
      const facts = { key: Buffer.from(`${n === 0 ? '' : ','}${JSON.stringify(name)}:`), required: required.includes(name) };
      return plainFieldOf(properties[name]!, facts, { isId: name === 'eventId', isTime: name === timeField }) ?? [];
    });
    const needed = [names[0] ?? '', 'eventId', timeField];
    const sameOrder = names.length === columns.length && names.every((name, n) => columns[n]!.field === name);
    return fields.length < names.length || !sameOrder || !needed.every((name) => required.includes(name))
      ? undefined
      : new PlainScanner(fields);
  }

  /** Maximum bytes of the line of a record with a value of this length. */
  lineBytesMax(valueBytes: number): number {
    return linePrefix.length + offsetDigitsMax + valueBytes + 2;
  }

  /**
   * Reads the record in [start, end) of `source`, and writes its line to `target`: the record with its offset before the first field. The
   * target has room for {@link lineBytesMax}.
   *
   * @returns the end of the line in the target; {@link notPlain} for a record in another form
   */
  scan(source: Buffer, start: number, end: number, offset: number, target: Buffer, at: number): number {
    if (start === end || source[start] !== openBrace) return notPlain;
    let from = start + 1;
    let idFrom = from;
    this.#hasOther = false;
    for (const field of this.#fields) {
      if (!hasBytes(source, from, field.key)) {
        if (field.required) return notPlain;
        continue;
      }
      from += field.key.length;
      if (field.kind === 'text') {
        const to = this.#endOfText(source, from, end);
        if (to === end || source[to] !== quote || to - from < field.bytesMin || to - from > field.bytesMax) return notPlain;
        from = to + 1;
      } else if (field.kind === 'uuid') {
        if (from + uuidLength >= end || !isUuid(source, from) || source[from + uuidLength] !== quote) return notPlain;
        if (field.isId) {
          idFrom = from;
          this.#readId(source, from);
        }
        from += uuidLength + 1;
      } else {
        const length = this.#readInteger(source, from, field);
        if (length === 0) return notPlain;
        from += length;
      }
    }
    if (source[from] !== closeBrace || from + 1 !== end || (this.#hasOther && !isUtf8(source.subarray(start, end)))) return notPlain;
    let to = writeOffset(target, at, offset);
    target[to] = comma;
    to += 1;
    this.idAt = to + idFrom - start - 1;
    to += source.copy(target, to, start + 1, end);
    target[to] = lineBreak;
    return to + 1;
  }

  #endOfText(source: Uint8Array, from: number, end: number): number {
    let at = from;
    for (; at < end; at += 1) {
      const byteClass = textClass[source[at]!]!;
      if (byteClass === 0) continue;
      if (byteClass === 2) break;
      this.#hasOther = true;
    }
    return at;
  }

  #readId(source: Uint8Array, from: number): void {
    for (let word = 0; word < wordsPerId; word += 1) {
      const at = digitsOfUuid[word]!;
      let value = 0;
      for (let n = 0; n < at.length; n += 1) value = (value << 4) | hexDigitOf[source[from + at[n]!]!]!;
      this.idWords[word] = value;
    }
  }

  /** Returns the length of the number at a position. 0: out of bounds, or `JSON.stringify` would write it in another way (-0, 1.0, 1e3). */
  #readInteger(source: Uint8Array, from: number, { minimum, maximum, isTime }: PlainInteger): number {
    const isNegative = source[from] === minus;
    const start = isNegative ? from + 1 : from;
    let at = start;
    let value = 0;
    for (; at < source.length; at += 1) {
      const digit = source[at]! - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === start || at - start > digitsMax) return 0;
    if (source[start] === zero && (isNegative || at - start > 1)) return 0;
    if (isNegative) value = -value;
    if (value < minimum || value > maximum) return 0;
    if (isTime) this.eventTime = value;
    return at - from;
  }
}

// Small functions without writes between the reads: one loop that also wrote the line took twice the time.
function hasBytes(source: Uint8Array, from: number, bytes: Uint8Array): boolean {
  for (let n = 0; n < bytes.length; n += 1) if (source[from + n] !== bytes[n]) return false;
  return true;
}

/** Whether a UUID in lower case begins at a position. */
function isUuid(source: Uint8Array, from: number): boolean {
  for (let n = 0; n < uuidLength; n += 1) {
    const byte = source[from + n]!;
    if (uuidForm[n] === 1 ? byte !== minus : lowerCaseHex[byte] === 0) return false;
  }
  return true;
}

/** 1 at the places of the hyphens. */
const uuidForm = Uint8Array.from({ length: uuidLength }, (_, n) => (n === 8 || n === 13 || n === 18 || n === 23 ? 1 : 0));
const lowerCaseHex = Uint8Array.from({ length: 256 }, (_, byte) => ('0123456789abcdef'.includes(String.fromCharCode(byte)) ? 1 : 0));

function writeOffset(target: Buffer, at: number, offset: number): number {
  for (let n = 0; n < linePrefix.length; n += 1) target[at + n] = linePrefix[n]!;
  const start = at + linePrefix.length;
  let digits = 1;
  for (let limit = 10; limit <= offset; limit *= 10) digits += 1;
  let rest = offset;
  for (let n = start + digits - 1; n >= start; n -= 1) {
    const next = Math.floor(rest / 10);
    target[n] = zero + (rest - next * 10);
    rest = next;
  }
  return start + digits;
}

/** The plain form of a field. Undefined for a schema with a keyword that it does not cover. */
function plainFieldOf(
  schema: object,
  { key, required }: PlainFieldFacts,
  { isId, isTime }: { readonly isId: boolean; readonly isTime: boolean },
): PlainField | undefined {
  const { type, description: _description, 'x-field-id': _id, 'x-column-type': _column, ...rules } = schema as Record<string, unknown>;
  const { minLength = 0, maxLength, pattern, minimum = -Infinity, maximum = Infinity, 'x-lower-case': lowerCase, ...unknown } = rules;
  if (Object.keys(unknown).length > 0) return undefined;
  if (type === 'integer')
    return isId ? undefined : { kind: 'integer', key, required, isTime, minimum: Number(minimum), maximum: Number(maximum) };
  if (type !== 'string' || isTime) return undefined;
  const quoted = { key: Buffer.concat([key, Buffer.from('"')]), required };
  if (lowerCase === true) return pattern === uuidPattern ? { kind: 'uuid', ...quoted, isId } : undefined;
  // The pattern of texts refuses NUL and unpaired surrogates, which UTF-8 without escapes cannot hold.
  if (typeof maxLength !== 'number' || isId || (pattern !== undefined && pattern !== textPattern)) return undefined;
  // A code point takes one to four bytes.
  return { kind: 'text', ...quoted, bytesMin: Number(minLength) > 1 ? Number(minLength) * 4 : Number(minLength), bytesMax: maxLength };
}

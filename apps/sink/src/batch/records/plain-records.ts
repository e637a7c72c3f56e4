import { textPattern, uuidPattern, type Stream } from '@millrace/contracts';

/** The parts of a record that a lane needs, and its columns as JSON text. */
export interface PlainRecord {
  /** The columns and their values, `"title":"Orlando","user_age":24`, as `JSON.stringify` writes them. */
  readonly columns: string;
  readonly eventId: string;
  /** Event time in epoch seconds. */
  readonly eventTime: number;
}

/** Reads a record in the plain form; undefined for any other, which says nothing about its validity. */
export type ReadPlainRecord = (json: string) => PlainRecord | undefined;

interface PlainField {
  /** Matches the value, with one group around its text without quotes. */
  readonly pattern: string;
  readonly quote: '' | '"';
  readonly minimum: number;
  readonly maximum: number;
}

const lowerCaseUuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
// No character that JSON escapes, and a count of UTF-16 units, which is never below the count of code points.
const plainCharacter = String.raw`[^"\\\u0000-\u001f]`;
// Below 2^53, and without a form that JSON.stringify would write in another way: -0, 1.0, 1e3.
const plainInteger = String.raw`-?[1-9]\d{0,14}|0`;

/**
 * Compiles the fast path of the check: one regular expression that accepts a record as the purchase API writes it. The fields are in the
 * order of the declaration, without white space, escapes or unknown fields. Whatever it accepts, the schema accepts too, and the row is the
 * same. A property test compares both. A record in another form takes the exact path.
 *
 * @returns undefined if the stream has a field of a type without a plain form
 */
export function plainRecordsOf(stream: Stream): ReadPlainRecord | undefined {
  const { properties, required = [] } = stream.eventSchema as unknown as { properties: Record<string, object>; required?: string[] };
  const names = Object.keys(properties);
  const fields = names.flatMap((name) => plainFieldOf(properties[name]!) ?? []);
  const [first = ''] = names;
  if (fields.length < names.length || !required.includes(first) || stream.columns[0]?.field !== first) return undefined;
  const members = names.map((name, index) => {
    const { pattern, quote } = fields[index]!;
    const member = `${index === 0 ? '' : ','}${escaped(JSON.stringify(name))}:${quote}(${pattern})${quote}`;
    return required.includes(name) ? member : `(?:${member})?`;
  });
  const expression = new RegExp(`^\\{${members.join('')}\\}$`);
  const limited = fields.flatMap(({ quote, minimum, maximum }, index) => (quote === '' ? [{ group: index + 1, minimum, maximum }] : []));
  const columns = stream.columns.map(({ name, field }, index) => {
    const at = names.indexOf(field);
    const { quote } = fields[at]!;
    return { group: at + 1, before: `${index === 0 ? '' : ','}${JSON.stringify(name)}:${quote}`, after: quote };
  });
  const idGroup = names.indexOf('eventId') + 1;
  const timeGroup = names.indexOf(stream.timeField) + 1;

  return (json) => {
    const values = expression.exec(json);
    if (values === null) return undefined;
    for (const { group, minimum, maximum } of limited) {
      const text = values[group];
      if (text !== undefined && !(Number(text) >= minimum && Number(text) <= maximum)) return undefined;
    }
    let text = '';
    for (const { group, before, after } of columns) {
      const value = values[group];
      if (value !== undefined) text += before + value + after;
    }
    return { columns: text, eventId: values[idGroup]!, eventTime: Number(values[timeGroup]) };
  };
}

/** The plain form of a field. Undefined for a schema with a keyword that it does not cover. */
function plainFieldOf(schema: object): PlainField | undefined {
  const { type, description: _description, 'x-field-id': _id, 'x-column-type': _column, ...rules } = schema as Record<string, unknown>;
  const { minLength = 0, maxLength, pattern, minimum = -Infinity, maximum = Infinity, 'x-lower-case': lowerCase, ...unknown } = rules;
  if (Object.keys(unknown).length > 0) return undefined;
  const text = { quote: '"', minimum: 0, maximum: 0 } as const;
  if (type === 'integer') return { pattern: plainInteger, quote: '', minimum: Number(minimum), maximum: Number(maximum) };
  if (type !== 'string') return undefined;
  if (lowerCase === true) return pattern === uuidPattern ? { ...text, pattern: lowerCaseUuid } : undefined;
  // The pattern of texts refuses NUL and unpaired surrogates, which UTF-8 without escapes cannot hold.
  if (typeof maxLength !== 'number' || (pattern !== undefined && pattern !== textPattern)) return undefined;
  // A code point takes one or two UTF-16 units.
  const unitsMin = Number(minLength) > 1 ? Number(minLength) * 2 : Number(minLength);
  return { ...text, pattern: `${plainCharacter}{${unitsMin},${maxLength}}` };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

import type { ResultColumn } from '../../engines/query-engine.ts';

/** The form of a column's values in a typed format. A type without another form is text, as in JSON. */
export type ColumnKind =
  | { readonly kind: 'boolean' | 'bigint' | 'real' | 'double' | 'date' | 'time' | 'timestamp' | 'bytes' | 'text' }
  | { readonly kind: 'integer'; readonly bits: 8 | 16 | 32 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

const simpleKinds: Readonly<Record<string, ColumnKind>> = {
  boolean: { kind: 'boolean' },
  tinyint: { kind: 'integer', bits: 8 },
  smallint: { kind: 'integer', bits: 16 },
  integer: { kind: 'integer', bits: 32 },
  bigint: { kind: 'bigint' },
  real: { kind: 'real' },
  double: { kind: 'double' },
  date: { kind: 'date' },
  varbinary: { kind: 'bytes' },
};

/** Digits that a decimal of 128 bits holds. */
const decimalDigitsMax = 38;
/** Digits of a second that a count of microseconds holds. */
const secondDigitsMax = 6;

/**
 * The form of a column. Times finer than a microsecond, values with a time zone, intervals and nested values are text. No type that both
 * formats share holds all of them.
 */
export function columnKind({ type }: ResultColumn): ColumnKind {
  const [, name = type, first = '0', second = '0'] = /^(decimal|time|timestamp)\((\d+)(?:,\s?(\d+))?\)$/.exec(type) ?? [];
  const [precision, scale] = [Number(first), Number(second)];
  if (name === 'decimal' && precision > 0 && precision <= decimalDigitsMax) return { kind: 'decimal', precision, scale };
  if ((name === 'time' || name === 'timestamp') && precision <= secondDigitsMax) return { kind: name };
  return simpleKinds[name] ?? { kind: 'text' };
}

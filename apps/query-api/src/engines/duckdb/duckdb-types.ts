import type { ResultCell } from '@millrace/contracts';

const trinoTypes: Readonly<Record<string, string>> = {
  FLOAT: 'real',
  UTINYINT: 'smallint',
  USMALLINT: 'integer',
  UINTEGER: 'bigint',
  UBIGINT: 'decimal(20,0)',
  HUGEINT: 'decimal(38,0)',
  UHUGEINT: 'decimal(39,0)',
  BLOB: 'varbinary',
};

/** Trino's name of a DuckDB type, in lower case. */
export function trinoTypeOf(duckdbType: string): string {
  return trinoTypes[duckdbType] ?? duckdbType.toLowerCase();
}

/** A cell from a value as DuckDB's JSON converter gives it: 64-bit integers and decimals are strings there; what nests becomes JSON text. */
export function cellOf(value: unknown, type: string): ResultCell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'number' && type === 'bigint') return String(value);
  return value as ResultCell;
}

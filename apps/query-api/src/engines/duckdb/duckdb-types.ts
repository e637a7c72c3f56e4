import {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBTypeId,
  DuckDBUnionType,
  type DuckDBType,
} from '@duckdb/node-api';
import { CodedError } from '@millrace/resilience/coded-error';
import { fieldNames } from '../row-fields.ts';

/** A type whose values a result cannot carry. */
export class TypeNotCarried extends CodedError {
  readonly code = 'type-not-carried';
  readonly retryable = false;

  constructor(type: string) {
    super(`A result cannot carry values of the type ${type}: CAST them to another type, such as VARCHAR`);
  }
}

/** Types without a parameter. Trino has no unsigned integers: each becomes the next type that holds it. */
const simpleTypes: Partial<Record<DuckDBTypeId, string>> = {
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.TINYINT]: 'tinyint',
  [DuckDBTypeId.SMALLINT]: 'smallint',
  [DuckDBTypeId.INTEGER]: 'integer',
  [DuckDBTypeId.BIGINT]: 'bigint',
  [DuckDBTypeId.HUGEINT]: 'decimal(38,0)',
  [DuckDBTypeId.UTINYINT]: 'smallint',
  [DuckDBTypeId.USMALLINT]: 'integer',
  [DuckDBTypeId.UINTEGER]: 'bigint',
  [DuckDBTypeId.UBIGINT]: 'decimal(20,0)',
  [DuckDBTypeId.UHUGEINT]: 'decimal(39,0)',
  [DuckDBTypeId.FLOAT]: 'real',
  [DuckDBTypeId.DOUBLE]: 'double',
  [DuckDBTypeId.VARCHAR]: 'varchar',
  [DuckDBTypeId.ENUM]: 'varchar',
  [DuckDBTypeId.BIT]: 'varchar',
  [DuckDBTypeId.BIGNUM]: 'varchar',
  [DuckDBTypeId.BLOB]: 'varbinary',
  [DuckDBTypeId.UUID]: 'uuid',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIME]: 'time(6)',
  [DuckDBTypeId.TIME_NS]: 'time(9)',
  [DuckDBTypeId.TIME_TZ]: 'time(6) with time zone',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp(0)',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp(3)',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp(6)',
  [DuckDBTypeId.TIMESTAMP_NS]: 'timestamp(9)',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'timestamp(6) with time zone',
  [DuckDBTypeId.INTERVAL]: 'interval day to second',
  [DuckDBTypeId.SQLNULL]: 'unknown',
};

/**
 * Trino's name of a DuckDB type.
 *
 * @throws TypeNotCarried for a type that has no place in a result, such as VARIANT
 */
export function trinoTypeOf(type: DuckDBType): string {
  if (type instanceof DuckDBDecimalType) return `decimal(${type.width},${type.scale})`;
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) return `array(${trinoTypeOf(type.valueType)})`;
  if (type instanceof DuckDBMapType) return `map(${trinoTypeOf(type.keyType)}, ${trinoTypeOf(type.valueType)})`;
  if (type instanceof DuckDBStructType) return rowType(fieldNames(type.entryNames), type.entryTypes);
  if (type instanceof DuckDBUnionType) return rowType(type.memberTags, type.memberTypes);
  const name = type.typeId === DuckDBTypeId.VARCHAR && type.alias === 'JSON' ? 'json' : simpleTypes[type.typeId];
  if (name === undefined) throw new TypeNotCarried(type.toString());
  return name;
}

function rowType(names: readonly string[], types: readonly DuckDBType[]): string {
  return `row(${names.map((name, index) => `${nameInType(name)} ${trinoTypeOf(types[index]!)}`).join(', ')})`;
}

function nameInType(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

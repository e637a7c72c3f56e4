import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  SQLNULL,
  VARCHAR,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  type DuckDBType,
} from '@duckdb/node-api';
import { duckDbErrorOf } from '../../duckdb-error.ts';
import type { Parameter } from '../query-engine.ts';

/**
 * Runs a statement with its parameters. A whole number is a BIGINT. DuckDB has functions for INTEGER only, such as `round` and `chr`,
 * and casts a number that is written into the statement to fit them. Where no function takes a BIGINT, the numbers that fit are
 * therefore bound as INTEGER. The binder fails before anything has run.
 *
 * @param prepare prepares the statement; called once for each attempt
 */
export async function runWith(prepare: () => Promise<DuckDBPreparedStatement>, parameters: readonly Parameter[]): Promise<DuckDBResult> {
  const types = parameters.map((value) => typeOf(value));
  try {
    return await stream(await prepare(), parameters, types);
  } catch (error) {
    const narrow = parameters.map((value, index) => (types[index] === BIGINT && isInt32(value) ? INTEGER : types[index]!));
    if (duckDbErrorOf(error).type !== 'Binder' || narrow.every((type, index) => type === types[index])) throw error;
    return await stream(await prepare(), parameters, narrow).catch(() => {
      throw error;
    });
  }
}

async function stream(
  statement: DuckDBPreparedStatement,
  parameters: readonly Parameter[],
  types: readonly DuckDBType[],
): Promise<DuckDBResult> {
  statement.bind([...parameters], [...types]);
  return await statement.stream();
}

function typeOf(value: Parameter): DuckDBType {
  if (value === null) return SQLNULL;
  if (typeof value === 'boolean') return BOOLEAN;
  if (typeof value === 'string') return VARCHAR;
  return Number.isSafeInteger(value) ? BIGINT : DOUBLE;
}

function isInt32(value: Parameter): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

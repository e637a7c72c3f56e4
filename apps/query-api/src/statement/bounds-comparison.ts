import type { BoundValue, ColumnBounds } from '@millrace/lake';
import type { Parameter } from '../engines/query-engine.ts';
import type { TreeNode } from './tree-node.ts';

/** Facts under which a comparison with a column's bounds is evaluated. */
export interface BoundsFacts {
  readonly columnOf: (columnNames: readonly unknown[]) => string | undefined;
  readonly bounds: ColumnBounds;
  readonly parameters: readonly Parameter[];
}

/** The results that a comparison may have for rows of a file, NULL apart. */
export interface PossibleResults {
  readonly canBeTrue: boolean;
  readonly canBeFalse: boolean;
}

const mirrored: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: 'COMPARE_EQUAL',
  COMPARE_LESSTHAN: 'COMPARE_GREATERTHAN',
  COMPARE_LESSTHANOREQUALTO: 'COMPARE_GREATERTHANOREQUALTO',
  COMPARE_GREATERTHAN: 'COMPARE_LESSTHAN',
  COMPARE_GREATERTHANOREQUALTO: 'COMPARE_LESSTHANOREQUALTO',
};

const time = /^(?!0000)(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?)?$/;
const wholeNumbers: ReadonlySet<unknown> = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']);

/**
 * Compares a column, whose values lie between two bounds, with a constant. Undefined when that is not understood. The column of a timestamp
 * has numbers as bounds, in microseconds.
 *
 * @param comparison DuckDB's name of the comparison
 */
export function boundsComparison(comparison: string, left: unknown, right: unknown, facts: BoundsFacts): PossibleResults | undefined {
  const column = boundsOf(left, facts);
  if (column === undefined) {
    const other = mirrored[comparison];
    return other === undefined || boundsOf(right, facts) === undefined ? undefined : boundsComparison(other, right, left, facts);
  }
  const [min, max] = column;
  const value = constantOf(right, typeof min, facts);
  if (value === undefined) return undefined;
  const low = order(min, value);
  const high = order(max, value);
  switch (comparison) {
    case 'COMPARE_EQUAL':
      return { canBeTrue: low <= 0 && high >= 0, canBeFalse: low !== 0 || high !== 0 };
    case 'COMPARE_LESSTHAN':
      return { canBeTrue: low < 0, canBeFalse: high >= 0 };
    case 'COMPARE_LESSTHANOREQUALTO':
      return { canBeTrue: low <= 0, canBeFalse: high > 0 };
    case 'COMPARE_GREATERTHAN':
      return { canBeTrue: high > 0, canBeFalse: low <= 0 };
    case 'COMPARE_GREATERTHANOREQUALTO':
      return { canBeTrue: high >= 0, canBeFalse: low < 0 };
    default:
      return undefined;
  }
}

function boundsOf(expression: unknown, { columnOf, bounds }: BoundsFacts): readonly [BoundValue, BoundValue] | undefined {
  const node = (expression ?? {}) as TreeNode;
  const names = node['column_names'];
  if (node['class'] !== 'COLUMN_REF' || !Array.isArray(names)) return undefined;
  const name = columnOf(names);
  return name === undefined ? undefined : bounds.get(name);
}

/** The value that DuckDB compares with the column. `kind` distinguishes a column of texts from one of numbers and timestamps. */
function constantOf(expression: unknown, kind: string, { parameters }: BoundsFacts): BoundValue | undefined {
  const node = (expression ?? {}) as TreeNode;
  switch (node['class']) {
    case 'CONSTANT': {
      const { type, value } = (node['value'] ?? {}) as { type?: { id?: unknown }; value?: unknown };
      if (type?.id === 'VARCHAR' && typeof value === 'string') return kind === 'string' ? value : undefined;
      return kind === 'number' && wholeNumbers.has(type?.id) && Number.isSafeInteger(value) ? (value as number) : undefined;
    }
    case 'PARAMETER': {
      const value = parameters[Number(node['identifier']) - 1];
      if (kind === 'string') return typeof value === 'string' ? value : undefined;
      return Number.isSafeInteger(value) ? (value as number) : undefined;
    }
    case 'CAST': {
      const { id, type_info: info } = (node['cast_type'] ?? {}) as { id?: unknown; type_info?: unknown };
      if (kind !== 'number' || info !== undefined || (id !== 'TIMESTAMP' && id !== 'DATE')) return undefined;
      const text = textOf(node['child'], parameters);
      return text === undefined ? undefined : microsecondsOf(text, id === 'DATE');
    }
    default:
      return undefined;
  }
}

function textOf(expression: unknown, parameters: readonly Parameter[]): string | undefined {
  const node = (expression ?? {}) as TreeNode;
  const { type, value } = (node['value'] ?? {}) as { type?: { id?: unknown }; value?: unknown };
  if (node['class'] === 'CONSTANT') return type?.id === 'VARCHAR' && typeof value === 'string' ? value : undefined;
  const bound = node['class'] === 'PARAMETER' ? parameters[Number(node['identifier']) - 1] : undefined;
  return typeof bound === 'string' ? bound : undefined;
}

/** A time in the one form that every engine reads alike, in microseconds since 1970. */
function microsecondsOf(text: string, isDate: boolean): number | undefined {
  const [, day, clock = '00:00:00', fraction = ''] = time.exec(text) ?? [];
  if (day === undefined || (isDate && text !== day)) return undefined;
  const at = new Date(`${day}T${clock}Z`);
  // A day or an hour that does not exist rolls over into another.
  if (Number.isNaN(at.getTime()) || at.toISOString() !== `${day}T${clock}.000Z`) return undefined;
  const micros = at.getTime() * 1000 + Number(fraction.padEnd(6, '0'));
  return Number.isSafeInteger(micros) ? micros : undefined;
}

/** Order of DuckDB's VARCHAR, by bytes of UTF-8, and of whole numbers. */
function order(left: BoundValue, right: BoundValue): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)));
}

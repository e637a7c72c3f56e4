import type { ColumnBounds } from '@millrace/lake';
import type { Parameter } from '../engines/query-engine.ts';
import { boundsComparison } from './bounds-comparison.ts';
import { foldName } from './fold.ts';
import type { TreeNode } from './tree-node.ts';

/** Decides whether an expression of the tree is the partition column of the table in question. */
export type IsPartitionColumn = (columnNames: readonly unknown[]) => boolean;

/** Facts under which a condition is evaluated. */
export interface ConditionFacts {
  readonly isPartitionColumn: IsPartitionColumn;
  /** Value of the partition column; null means a row that an outer join filled with NULL. */
  readonly partition: string | null;
  /** Name of the table's own column that an expression is, folded. */
  readonly columnOf: (columnNames: readonly unknown[]) => string | undefined;
  /** Smallest and largest values of the columns of one file. Undefined: nothing is known of them. */
  readonly bounds: ColumnBounds | undefined;
  readonly parameters: readonly Parameter[];
  /** Expressions left to evaluate for this statement. Expressions beyond the budget count as not understood. */
  readonly budget: { steps: number };
}

/** A set of the truth values of SQL: the sum of some of {@link isTrue}, {@link isFalse} and {@link isNull}. */
type Truths = number;

const isTrue = 1;
const isFalse = 2;
const isNull = 4;
const unknown: Truths = isTrue | isFalse | isNull;

/** Deeper conditions count as not understood. */
const depthMax = 100;
const canonicalDate = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const surrogate = /[\uD800-\uDFFF]/;
/** Hive's name of the partition whose value is NULL. */
const nullPartition = '__HIVE_DEFAULT_PARTITION__';

/** A value that is known exactly; `date` means that DuckDB compares it as a DATE. */
interface KnownValue {
  readonly text: string | null;
  readonly date: boolean;
}

/**
 * Returns whether a condition can be true for any row of a partition. The answer is conservative: an expression that is not understood may
 * be true, false or NULL.
 */
export function canBeTrue(condition: unknown, facts: ConditionFacts): boolean {
  if (facts.partition === nullPartition) return true;
  return (truthsOf(condition, facts, 0) & isTrue) !== 0;
}

function truthsOf(expression: unknown, facts: ConditionFacts, depth: number): Truths {
  facts.budget.steps -= 1;
  if (facts.budget.steps < 0 || depth > depthMax || typeof expression !== 'object' || expression === null) return unknown;
  const node = expression as TreeNode;
  const children = Array.isArray(node['children']) ? (node['children'] as readonly unknown[]) : [];
  switch (node['type']) {
    case 'CONJUNCTION_AND':
      return children.map((child) => truthsOf(child, facts, depth + 1)).reduce(and, isTrue);
    case 'CONJUNCTION_OR':
      return not(children.map((child) => not(truthsOf(child, facts, depth + 1))).reduce(and, isTrue));
    case 'OPERATOR_NOT':
      return children.length === 1 ? not(truthsOf(children[0], facts, depth + 1)) : unknown;
    case 'OPERATOR_IS_NULL':
      return nullTest(children, facts);
    case 'OPERATOR_IS_NOT_NULL':
      return not(nullTest(children, facts));
    case 'COMPARE_IN':
      return inList(children, facts);
    case 'COMPARE_NOT_IN':
      return not(inList(children, facts));
    case 'COMPARE_BETWEEN':
      return between(node, facts);
    case 'FUNCTION':
      return node['function_name'] === '~~' ? like(children, facts) : unknown;
    default: {
      const holds = comparisons[String(node['type'])];
      if (holds === undefined) return unknown;
      const values = valuesOf([node['left'], node['right']], facts);
      return values === undefined ? boundsTruths(String(node['type']), node['left'], node['right'], facts) : comparison(values, holds);
    }
  }
}

function and(left: Truths, right: Truths): Truths {
  let truths = (left | right) & isFalse;
  if ((left & isTrue) !== 0 && (right & isTrue) !== 0) truths |= isTrue;
  if (((left & isNull) !== 0 && (right & (isTrue | isNull)) !== 0) || ((right & isNull) !== 0 && (left & isTrue) !== 0)) truths |= isNull;
  return truths;
}

function not(truths: Truths): Truths {
  return ((truths & isTrue) === 0 ? 0 : isFalse) | ((truths & isFalse) === 0 ? 0 : isTrue) | (truths & isNull);
}

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  COMPARE_EQUAL: (order) => order === 0,
  COMPARE_NOTEQUAL: (order) => order !== 0,
  COMPARE_LESSTHAN: (order) => order < 0,
  COMPARE_LESSTHANOREQUALTO: (order) => order <= 0,
  COMPARE_GREATERTHAN: (order) => order > 0,
  COMPARE_GREATERTHANOREQUALTO: (order) => order >= 0,
};

function comparison(values: readonly KnownValue[] | undefined, holds: (order: number) => boolean): Truths {
  const [left, right] = values ?? [];
  if (left === undefined || right === undefined) return unknown;
  if (left.text === null || right.text === null) return isNull;
  return holds(orderOf(left.text, right.text)) ? isTrue : isFalse;
}

/** The truth values of a comparison between a column with bounds and a constant. NULLs are always possible. */
function boundsTruths(operator: string, left: unknown, right: unknown, facts: ConditionFacts): Truths {
  if (facts.bounds === undefined) return unknown;
  const possible = boundsComparison(operator, left, right, { ...facts, bounds: facts.bounds });
  return possible === undefined ? unknown : (possible.canBeTrue ? isTrue : 0) | (possible.canBeFalse ? isFalse : 0) | isNull;
}

function inList(children: readonly unknown[], facts: ConditionFacts): Truths {
  const values = valuesOf(children, facts);
  if (values === undefined) return unknown;
  const [input, ...list] = values;
  return not(list.map((item) => not(comparison([input!, item], (order) => order === 0))).reduce(and, isTrue));
}

function between(node: TreeNode, facts: ConditionFacts): Truths {
  const values = valuesOf([node['input'], node['lower'], node['upper']], facts);
  if (values === undefined) {
    return and(
      boundsTruths('COMPARE_GREATERTHANOREQUALTO', node['input'], node['lower'], facts),
      boundsTruths('COMPARE_LESSTHANOREQUALTO', node['input'], node['upper'], facts),
    );
  }
  const [input, lower, upper] = values as [KnownValue, KnownValue, KnownValue];
  return and(
    comparison([input, lower], (order) => order >= 0),
    comparison([input, upper], (order) => order <= 0),
  );
}

function like(children: readonly unknown[], facts: ConditionFacts): Truths {
  const values = valuesOf(children, facts);
  const [input, pattern] = values ?? [];
  if (input === undefined || pattern === undefined || input.date || pattern.date) return unknown;
  if (input.text === null || pattern.text === null) return isNull;
  // Only one % at the end: a prefix. Everything else could take long to match.
  const prefix = pattern.text.endsWith('%') ? pattern.text.slice(0, -1) : undefined;
  if (prefix === undefined || /[%_\\]/.test(prefix)) return unknown;
  return input.text.startsWith(prefix) ? isTrue : isFalse;
}

function nullTest(children: readonly unknown[], facts: ConditionFacts): Truths {
  const value = children.length === 1 ? valueOf(children[0], facts) : undefined;
  if (value === undefined) return unknown;
  return value.text === null ? isTrue : isFalse;
}

/**
 * The values that DuckDB compares with each other, or undefined when one is not known. Where one is a DATE, all must be
 * dates written as `YYYY-MM-DD`. Their order as text is then the same as their order as dates, whichever DuckDB compares.
 */
function valuesOf(expressions: readonly unknown[], facts: ConditionFacts): readonly KnownValue[] | undefined {
  const values: KnownValue[] = [];
  for (const expression of expressions) {
    const value = valueOf(expression, facts);
    if (value === undefined) return undefined;
    values.push(value);
  }
  if (values.some(({ date }) => date) && values.some(({ text }) => text !== null && !isDate(text))) return undefined;
  return values;
}

function valueOf(expression: unknown, facts: ConditionFacts): KnownValue | undefined {
  facts.budget.steps -= 1;
  if (facts.budget.steps < 0 || typeof expression !== 'object' || expression === null) return undefined;
  const node = expression as TreeNode;
  switch (node['class']) {
    case 'COLUMN_REF': {
      const names = node['column_names'];
      return Array.isArray(names) && facts.isPartitionColumn(names) ? { text: facts.partition, date: false } : undefined;
    }
    case 'CONSTANT': {
      const { type, value } = (node['value'] ?? {}) as { type?: { id?: unknown }; value?: unknown };
      return type?.id === 'VARCHAR' && typeof value === 'string' ? { text: value, date: false } : undefined;
    }
    case 'PARAMETER': {
      const position = Number(node['identifier']);
      const value = Number.isSafeInteger(position) ? facts.parameters[position - 1] : undefined;
      return typeof value === 'string' ? { text: value, date: false } : undefined;
    }
    case 'CAST': {
      const child = node['child'] as TreeNode | undefined;
      // A cast of a cast is not understood: it may change the value.
      const value = child?.['class'] === 'CAST' ? undefined : valueOf(child, facts);
      const { id, type_info: info } = (node['cast_type'] ?? {}) as { id?: unknown; type_info?: unknown };
      // More information on the type may be a collation.
      if (value === undefined || info !== undefined || (id !== 'DATE' && id !== 'VARCHAR')) return undefined;
      return id === 'VARCHAR' ? value : { ...value, date: true };
    }
    default:
      return undefined;
  }
}

// A day that the calendar does not have rolls over into another.
function isDate(text: string): boolean {
  return canonicalDate.test(text) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

/** Order of DuckDB's VARCHAR: by bytes of UTF-8. That of UTF-16 differs where there are surrogates. */
function orderOf(left: string, right: string): number {
  if (left === right) return 0;
  if (surrogate.test(left) || surrogate.test(right)) return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : 1;
}

/** Finds the column of a table reference by its name, with or without the reference's alias. */
export function columnTest(alias: string, unqualified: boolean): ConditionFacts['columnOf'] {
  return (columnNames) => {
    const names = columnNames.map((name) => (typeof name === 'string' ? foldName(name) : ''));
    const isOwn = names.length === 1 ? unqualified : names.length === 2 && names[0] === foldName(alias);
    return isOwn ? names.at(-1) : undefined;
  };
}

/** A test for the partition column of a table reference, by its name with or without the reference's alias. */
export function partitionColumnTest(partitionKey: string, alias: string, unqualified: boolean): IsPartitionColumn {
  return (columnNames) => {
    const names = columnNames.map((name) => (typeof name === 'string' ? foldName(name) : undefined));
    if (names.at(-1) !== foldName(partitionKey)) return false;
    return names.length === 1 ? unqualified : names.length === 2 && names[0] === foldName(alias);
  };
}

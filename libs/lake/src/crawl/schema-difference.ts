/** A column with its type in the words of Glue: `string`, `int`, `decimal(10,2)`. */
export interface TypedColumn {
  readonly name: string;
  readonly type: string;
}

/** The columns of some files: each with every type that a file has for it. */
export type FoundColumns = ReadonlyMap<string, ReadonlySet<string>>;

/** One difference between the columns of the files and those of the catalog. */
export interface ColumnDifference {
  /**
   * `column-added`: files have a column that the catalog lacks. `column-widened`: files have a wider type, which holds every value of the
   * catalog's. `column-absent`: the catalog has a column that no file has. `column-changed`: the types hold different values.
   */
  readonly kind: 'column-added' | 'column-widened' | 'column-absent' | 'column-changed';
  readonly column: string;
  /** Type in the files; several with commas between them. Absent for a column that no file has. */
  readonly found?: string;
  /** Type in the catalog. Absent for a column that it lacks. */
  readonly catalog?: string;
}

/** Types that hold every value of the ones before them. */
const chains: readonly (readonly string[])[] = [
  ['tinyint', 'smallint', 'int', 'bigint'],
  ['float', 'double'],
];

/** Whether `wide` holds every value of `narrow`. A type holds its own values. */
export function holds(wide: string, narrow: string): boolean {
  if (wide === narrow) return true;
  const chain = chains.find((types) => types.includes(wide) && types.includes(narrow));
  if (chain !== undefined) return chain.indexOf(narrow) < chain.indexOf(wide);
  const [a, b] = [decimalOf(wide), decimalOf(narrow)];
  return a !== undefined && b !== undefined && a.scale === b.scale && a.precision >= b.precision;
}

/** Puts the columns of files together. */
export function mergeColumns(files: readonly (readonly TypedColumn[])[]): FoundColumns {
  const merged = new Map<string, Set<string>>();
  for (const { name, type } of files.flat()) merged.set(name, (merged.get(name) ?? new Set()).add(type));
  return merged;
}

/** The one type that holds the values of all the others; undefined when none does. */
export function widestOf(types: Iterable<string>): string | undefined {
  const all = [...types];
  return all.find((wide) => all.every((narrow) => holds(wide, narrow)));
}

/** Compares the columns of files with those of the catalog, by name. Files with a narrower type than the catalog are not a difference. */
export function columnDifferences(found: FoundColumns, catalog: readonly TypedColumn[]): ColumnDifference[] {
  const known = new Map(catalog.map(({ name, type }) => [name.toLowerCase(), type.toLowerCase()]));
  const differences: ColumnDifference[] = [];
  for (const [column, types] of found) {
    const shown = [...types].toSorted().join(', ');
    const [widest, type] = [widestOf(types), known.get(column)];
    if (widest === undefined || widest === 'nested') {
      if (type === undefined || ![...types].every((one) => one === 'nested') || !isNested(type))
        differences.push({ kind: 'column-changed', column, found: shown, ...(type === undefined ? {} : { catalog: type }) });
    } else if (type === undefined) differences.push({ kind: 'column-added', column, found: widest });
    else if (!holds(type, widest))
      differences.push({ kind: holds(widest, type) ? 'column-widened' : 'column-changed', column, found: shown, catalog: type });
  }
  for (const [column, type] of known) if (!found.has(column)) differences.push({ kind: 'column-absent', column, catalog: type });
  return differences;
}

/** The columns of the catalog after the differences that only add or widen. Their order stays, and new ones follow. */
export function widened(catalog: readonly TypedColumn[], differences: readonly ColumnDifference[]): TypedColumn[] {
  const wide = new Map(
    differences.flatMap(({ kind, column, found }) =>
      kind === 'column-widened' && found !== undefined ? [[column, widestOf(found.split(', '))] as const] : [],
    ),
  );
  return [
    ...catalog.map((column) => ({ ...column, type: wide.get(column.name.toLowerCase()) ?? column.type })),
    ...differences.flatMap(({ kind, column, found }) =>
      kind === 'column-added' && found !== undefined ? [{ name: column, type: found }] : [],
    ),
  ];
}

function isNested(type: string): boolean {
  return /^(array|map|struct)</.test(type);
}

function decimalOf(type: string): { readonly precision: number; readonly scale: number } | undefined {
  const match = /^decimal\((\d+),\s*(\d+)\)$/.exec(type);
  return match === null ? undefined : { precision: Number(match[1]), scale: Number(match[2]) };
}

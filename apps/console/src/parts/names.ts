import type { EngineName, LayoutName, QueryList, QueryPhase, QueryState } from '@millrace/contracts';

// The contract's lists bring its validator with them, which would double the size of the page. The types check these.

/** The engines by the names of their products. */
export const engineLabels: Readonly<Record<EngineName, string>> = { duckdb: 'DuckDB', athena: 'Athena', trino: 'Trino' };
/** The layouts of a table. */
export const layoutLabels: Readonly<Record<LayoutName, string>> = { base: 'Landed files', iceberg: 'Iceberg' };
/** The states of a query. */
export const stateLabels: Readonly<Record<QueryState, string>> = {
  queued: 'Queued',
  running: 'Running',
  cancelling: 'Cancelling',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** The phases of a query that has not ended. */
export const phaseLabels: Readonly<Record<QueryPhase, string>> = {
  waiting: 'waits for a worker',
  following: 'waits for an equal query that runs',
  preparing: 'chooses the files',
  executing: 'runs in the engine',
  writing: 'keeps the result',
};

/** The statement or the report of a query. */
export function questionOf({ sql, report = '' }: Pick<QueryList['queries'][number], 'sql' | 'report'>): string {
  return sql ?? `Report ${report}`;
}

/** The keys of a record with their type. */
export function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): readonly K[] {
  return Object.keys(record) as K[];
}

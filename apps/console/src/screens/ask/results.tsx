import type { JSX } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import { filterRows, sortRows } from '../../parts/grid/cells.ts';
import { Grid } from '../../parts/grid/grid.tsx';
import { countText } from '../../parts/units.ts';
import { Chart } from './chart/chart.tsx';
import { download, downloadFormats } from './download.ts';
import type { QueryRun, RunState } from './query-run.ts';

export interface ResultsProps {
  readonly run: QueryRun;
  readonly state: RunState;
}

interface Sort {
  readonly column: number;
  readonly descending: boolean;
}

/** The rows of a result. Sorting and filtering hold for the rows that are loaded. */
export function Results({ run, state: { view, columns, rows, next, isLoading } }: ResultsProps): JSX.Element {
  const [sort, setSort] = useState<Sort>();
  const [filter, setFilter] = useState('');
  const [saving, setSaving] = useState<string>();
  const [isChart, setChart] = useState(false);
  const shown = useMemo(() => {
    const found = filterRows(rows, filter);
    return sort === undefined ? found : sortRows(found, sort.column, columns[sort.column]?.type ?? '', sort.descending);
  }, [rows, filter, sort, columns]);
  const onNearEnd = useCallback(() => void run.loadMore(), [run]);
  const onSort = (column: number): void =>
    setSort((before) =>
      before?.column !== column ? { column, descending: false } : before.descending ? undefined : { column, descending: true },
    );
  const save = async (format: (typeof downloadFormats)[number]): Promise<void> => {
    setSaving(format.label);
    try {
      await download(view.id, format);
    } catch (error) {
      run.error.value = error;
    } finally {
      setSaving(undefined);
    }
  };
  if (columns.length === 0) return <p role="status">{isLoading ? 'Loading the rows…' : ''}</p>;
  const total = view.statistics?.rows ?? rows.length;
  return (
    <>
      <div class="row">
        <div class="segments" role="group" aria-label="Show the result as">
          <button type="button" aria-pressed={!isChart} onClick={() => setChart(false)}>
            Rows
          </button>
          <button type="button" aria-pressed={isChart} onClick={() => setChart(true)}>
            Chart
          </button>
        </div>
        <input
          type="search"
          aria-label="Filter the loaded rows"
          placeholder="Filter the loaded rows"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
        <span class="muted small" role="status">
          {filter === '' ? '' : `${countText(shown.length)} match; `}
          {next === undefined ? `all ${countText(total)} rows loaded` : `${countText(rows.length)} of ${countText(total)} rows loaded`}
          {isLoading ? ', loading more…' : ''}
        </span>
        <span class="row" role="group" aria-label="Download the whole result">
          {downloadFormats.map((format) => (
            <button key={format.label} type="button" disabled={saving !== undefined} onClick={() => void save(format)}>
              {saving === format.label ? `Saving ${format.label}…` : format.label}
            </button>
          ))}
        </span>
      </div>
      {rows.length === 0 ? (
        <p class="note">The statement succeeded, and no row matches it.</p>
      ) : isChart ? (
        <Chart columns={columns} rows={shown} />
      ) : (
        <Grid label="Result" columns={columns} rows={shown} sort={sort} onSort={onSort} onNearEnd={onNearEnd} />
      )}
    </>
  );
}

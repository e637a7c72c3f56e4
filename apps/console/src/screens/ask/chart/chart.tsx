import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { shortText, type Column, type Row } from '../../../parts/grid/cells.ts';
import { ProblemNote } from '../../../parts/problem-note.tsx';
import { countText } from '../../../parts/units.ts';
import { chartOf, valueColumns, type ChartChoice } from './chart-data.ts';
import type { Plot } from './plot.tsx';

export interface ChartProps {
  readonly columns: readonly Column[];
  /** The rows as the user sorted and filtered them. */
  readonly rows: readonly Row[];
}

/** The loaded rows as lines or bars. The axis and the values can be chosen. */
export function Chart({ columns, rows }: ChartProps): JSX.Element {
  const [choice, setChoice] = useState<ChartChoice>({});
  const { plot: Shown, error } = usePlot();
  const data = useMemo(() => chartOf(columns, rows, choice), [columns, rows, choice]);
  if (data === undefined)
    return <p class="note">A chart needs a column of numbers beside the one of its axis. Select one, such as count(*) AS sold.</p>;
  const others = valueColumns(columns).filter((index) => index !== choice.axis);
  return (
    <>
      <div class="row small">
        <ColumnChoice
          label="Axis"
          columns={columns}
          indexes={columns.map((_column, index) => index)}
          chosen={choice.axis}
          onChange={(axis) => setChoice({ axis })}
        />
        <ColumnChoice
          label="Values"
          columns={columns}
          indexes={others}
          chosen={choice.value}
          onChange={(value) => setChoice({ ...choice, value })}
        />
        {data.leftOut === 0 ? null : (
          <span class="muted">
            {data.kind === 'category'
              ? `The first ${countText(data.positions.length)} of ${countText(rows.length)} rows. Sort or filter the rows to see others.`
              : `${countText(data.leftOut)} rows without a place on the axis are left out.`}
          </span>
        )}
      </div>
      <ProblemNote error={error} />
      {Shown === undefined ? <p role="status">{error === undefined ? 'Loading the chart…' : ''}</p> : <Shown data={data} />}
    </>
  );
}

interface ColumnChoiceProps {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly indexes: readonly number[];
  readonly chosen: number | undefined;
  /** Without an index the chart chooses. */
  readonly onChange: (index: number | undefined) => void;
}

function ColumnChoice({ label, columns, indexes, chosen, onChange }: ColumnChoiceProps): JSX.Element {
  return (
    <label class="row">
      {label}
      <select
        value={chosen === undefined ? '' : String(chosen)}
        onChange={({ currentTarget: { value } }) => onChange(value === '' ? undefined : Number(value))}
      >
        <option value="">Automatic</option>
        {indexes.map((index) => (
          <option key={index} value={String(index)}>
            {shortText(columns[index]!.name).slice(0, 60)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Loads the canvas and its library with the first chart. */
function usePlot(): { readonly plot?: typeof Plot; readonly error?: unknown } {
  const [state, setState] = useState<{ readonly plot?: typeof Plot; readonly error?: unknown }>({});
  useEffect(() => {
    import('./plot.tsx').then(
      (module) => setState({ plot: module.Plot }),
      (error: unknown) => setState({ error }),
    );
  }, []);
  return state;
}

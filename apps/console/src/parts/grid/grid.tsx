import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { cellText, isNumeric, shortText, type Column, type Row } from './cells.ts';
import { useVirtualRows } from './use-virtual-rows.ts';
import { ValueDialog } from './value-dialog.tsx';

const rowHeight = 30;
const headHeight = 46;
/** Rows before the last one at which more are asked for. */
const nearRows = 50;

/** A table of results. */
export interface GridProps {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Column by which the rows are sorted; the header of each column changes it. Default: the rows cannot be sorted. */
  readonly sort?: { readonly column: number; readonly descending: boolean } | undefined;
  readonly onSort?: (column: number) => void;
  /** Called when the last rows come into view. */
  readonly onNearEnd?: () => void;
}

/** A virtual grid: the document holds only the rows in view. Arrow keys move, and Enter shows a whole value. */
export function Grid({ label, columns, rows, sort, onSort, onNearEnd }: GridProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const { items, height, scrollTo } = useVirtualRows(element, rows.length, rowHeight, headHeight);
  const [active, setActive] = useState<readonly [row: number, column: number]>([0, 0]);
  const [shown, setShown] = useState<readonly [row: number, column: number]>();
  const hasMoved = useRef(false);
  const widths = useMemo(() => widthsOf(columns, rows), [columns, rows.length > 0]);
  const style = { gridTemplateColumns: widths.map((px, n) => (n === widths.length - 1 ? `minmax(${px}px, 1fr)` : `${px}px`)).join(' ') };

  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - nearRows) onNearEnd?.();
  }, [last, rows.length, onNearEnd]);
  useEffect(() => {
    if (!hasMoved.current) return;
    hasMoved.current = false;
    element.current?.querySelector<HTMLElement>(`[data-cell="${active.join(':')}"]`)?.focus();
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const isCell = event.target instanceof HTMLElement && event.target.dataset['cell'] !== undefined;
    if (!isCell) return;
    if (event.key === 'Enter') return setShown(active);
    const moved = moveOf(event, active, rows.length, columns.length);
    if (moved === undefined) return;
    event.preventDefault();
    hasMoved.current = true;
    scrollTo(moved[0]);
    setActive(moved);
  };
  const shownRow = shown === undefined ? undefined : rows[shown[0]];
  return (
    <>
      <div
        ref={element}
        class="grid"
        role="grid"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length}
        onKeyDown={onKeyDown}
      >
        <div class="head" role="rowgroup">
          <div class="names" role="row" aria-rowindex={1} style={style}>
            {columns.map(({ name, type }, n) => (
              <div key={n} role="columnheader" aria-sort={sort?.column === n ? (sort.descending ? 'descending' : 'ascending') : 'none'}>
                <button
                  type="button"
                  class={isNumeric(type) ? 'numeric' : ''}
                  title={name.slice(0, 300)}
                  disabled={onSort === undefined}
                  onClick={() => onSort?.(n)}
                >
                  <span class="name foreign">
                    {shortText(name)}
                    {sort?.column === n ? (sort.descending ? ' ↓' : ' ↑') : ''}
                  </span>
                  <span class="type">{shortText(type)}</span>
                </button>
              </div>
            ))}
          </div>
        </div>
        <div class="rows" role="rowgroup" style={{ height: `${height}px` }}>
          {items.map(({ index, start }) => (
            <div key={index} class="line" role="row" aria-rowindex={index + 2} style={{ ...style, transform: `translateY(${start}px)` }}>
              {columns.map(({ type }, n) => {
                const cell = rows[index]?.[n] ?? null;
                const kind = cell === null ? 'null' : isNumeric(type) ? 'number' : '';
                return (
                  <div
                    key={n}
                    class={`cell ${kind}`}
                    role="gridcell"
                    data-cell={`${index}:${n}`}
                    tabIndex={active[0] === index && active[1] === n ? 0 : -1}
                    onFocus={() => setActive([index, n])}
                    onDblClick={() => setShown([index, n])}
                  >
                    {cell === null ? 'NULL' : shortText(cellText(cell))}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      </div>
      {shown === undefined || shownRow === undefined ? null : (
        <ValueDialog column={columns[shown[1]]!} cell={shownRow[shown[1]] ?? null} onClose={() => setShown(undefined)} />
      )}
    </>
  );
}

function moveOf(
  { key, ctrlKey }: KeyboardEvent,
  [row, column]: readonly [number, number],
  rows: number,
  columns: number,
): [number, number] | undefined {
  const page = 14;
  const moves: Readonly<Record<string, readonly [number, number]>> = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    PageUp: [row - page, column],
    PageDown: [row + page, column],
    Home: [ctrlKey ? 0 : row, 0],
    End: [ctrlKey ? rows - 1 : row, columns - 1],
  };
  const to = moves[key];
  return to === undefined ? undefined : [clamp(to[0], rows), clamp(to[1], columns)];
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}

/** Widths of the columns in pixels, from their names and first rows. A few long values do not make a column wide. */
function widthsOf(columns: readonly Column[], rows: readonly Row[]): number[] {
  const sample = rows.slice(0, 60);
  return columns.map(({ name, type }, n) => {
    const lengths = sample.map((row) => shortText(String(row[n] ?? 'NULL')).length).toSorted((a, b) => a - b);
    const most = lengths[Math.floor((lengths.length - 1) * 0.9)] ?? 0;
    return Math.min(Math.max(Math.ceil(Math.max(name.length + 2, type.length, most) * 7.4) + 28, 72), 400);
  });
}

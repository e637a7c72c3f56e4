import type { ResultCell } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { countText } from '../units.ts';
import { cellText, type Column } from './cells.ts';

/** Characters that the dialog shows. A browser lays out more only slowly. */
const shownCharactersMax = 100_000;

/** The whole value of one cell. */
export interface ShownValue {
  readonly column: Column;
  readonly cell: ResultCell;
}

export function ValueDialog({ column, cell, onClose }: ShownValue & { readonly onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const text = cell === null ? '' : cellText(cell);
  const hidden = text.length - shownCharactersMax;
  return (
    <dialog ref={dialog} aria-label={`Value of ${column.name.slice(0, 100)}`} onClose={onClose}>
      <h2>
        <bdi>{column.name}</bdi>
      </h2>
      <p class="muted small">
        {column.type}
        {cell === null ? ', NULL' : `, ${countText(text.length)} characters`}
      </p>
      {cell === null ? null : <pre tabIndex={0}>{text.slice(0, shownCharactersMax)}</pre>}
      {hidden > 0 ? <p class="muted small">{countText(hidden)} more characters. Download the result to read all of them.</p> : null}
      <div class="row">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
        {cell === null ? null : (
          <button type="button" onClick={() => void navigator.clipboard.writeText(text)}>
            Copy
          </button>
        )}
      </div>
    </dialog>
  );
}

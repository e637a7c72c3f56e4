import type { JSX, RefObject } from 'preact';

/** The last row of a dialog that only shows something. */
export function CloseRow({ dialog }: { readonly dialog: RefObject<HTMLDialogElement | null> }): JSX.Element {
  return (
    <div class="row">
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </div>
  );
}

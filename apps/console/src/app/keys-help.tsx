import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

const keys = [
  ['?', 'Show this list'],
  ['Ctrl Enter', 'Run the statement'],
  ['Shift Alt F', 'Format the statement'],
  ['Esc', 'Stop the query that runs'],
  ['Tab', 'Go to the next control. In the editor, press Esc first'],
  ['Arrow keys', 'Move between the cells of a result'],
  ['Enter', 'Show the whole value of a cell'],
] as const;

/** The list of keys, behind a button and behind `?`. */
export function KeysHelp(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '?' || isTyping(event)) return;
      event.preventDefault();
      dialog.current?.showModal();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <button type="button" class="plain" aria-label="Keyboard shortcuts" onClick={() => dialog.current?.showModal()}>
        <kbd>?</kbd>
      </button>
      <dialog ref={dialog} aria-label="Keyboard shortcuts">
        <h2>Keyboard shortcuts</h2>
        <dl class="keys">
          {keys.map(([key, effect]) => (
            <div key={key} class="row">
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{effect}</dd>
            </div>
          ))}
        </dl>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </dialog>
    </>
  );
}

function isTyping(event: KeyboardEvent): boolean {
  return event
    .composedPath()
    .some((node) => node instanceof HTMLElement && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName)));
}

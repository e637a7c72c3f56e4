import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { sql, StandardSQL } from '@codemirror/lang-sql';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view';
import type { TableList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { highlighting, look } from './editor-look.ts';
import { offsetOf, type Place } from './place-of-problem.ts';
import { replaceSelection } from './replace-selection.ts';

/** An error to mark in the statement. */
export interface Mark {
  readonly place: Place;
  readonly message: string;
}

export interface SqlEditorProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
  readonly onFormat: () => void;
  readonly tables: TableList['tables'];
  readonly mark: Mark | undefined;
}

/**
 * The SQL editor. It lives in a shadow root: there its styles are constructed sheets, which the policy of the page allows. In the page they
 * would be inline styles, which it does not.
 */
export function SqlEditor({ text, onChange, onRun, onFormat, tables, mark }: SqlEditorProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const language = useRef(new Compartment());
  const handlers = useRef({ onChange, onRun, onFormat });
  handlers.current = { onChange, onRun, onFormat };

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: text,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: 'Mod-Enter', run: () => (handlers.current.onRun(), true) },
              { key: 'Shift-Alt-f', run: () => (handlers.current.onFormat(), true) },
            ]),
          ),
          replaceSelection,
          lineNumbers(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ icons: false }),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
          language.current.of(sql({ dialect: StandardSQL, upperCaseKeywords: true })),
          syntaxHighlighting(highlighting),
          look,
          EditorView.lineWrapping,
          placeholder('SELECT title, count(*) AS sold FROM purchases GROUP BY title'),
          EditorView.contentAttributes.of({ 'aria-label': 'SQL statement' }),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) handlers.current.onChange(state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current!;
    const current = editor.state.doc.toString();
    if (current !== text) editor.dispatch({ changes: { from: 0, to: current.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const schema = Object.fromEntries(
      tables.map(({ name, columns }) => [
        name,
        columns.map((column) => ({ label: column.name, type: 'property', detail: column.type, info: column.description })),
      ]),
    );
    view.current!.dispatch({
      effects: language.current.reconfigure(sql({ dialect: StandardSQL, upperCaseKeywords: true, schema })),
    });
  }, [tables]);

  useEffect(() => {
    const editor = view.current!;
    const { doc } = editor.state;
    if (mark === undefined) return editor.dispatch(setDiagnostics(editor.state, []));
    const from = offsetOf(doc.toString(), mark.place);
    const word = /^\w+/.exec(doc.sliceString(from, from + 200))?.[0].length ?? 1;
    const to = Math.min(from + word, doc.length);
    editor.dispatch(setDiagnostics(editor.state, [{ from, to, severity: 'error', message: mark.message.slice(0, 2000) }]));
    return undefined;
  }, [mark]);

  return <div ref={host} class="editor" />;
}

import type { OperatorContext } from '../operator-context.ts';

/** Makes a context that records the lines of the answer. */
export function recordingContext(env: Readonly<Record<string, string>>, root = ''): OperatorContext & { readonly lines: string[] } {
  const lines: string[] = [];
  const screen = {
    line: (text = '') => void lines.push(text),
    bold: (text: string) => text,
    step: async <T>(_what: string, run: (note: (text: string) => void) => Promise<T>): Promise<T> => await run(() => undefined),
  };
  return {
    out: screen,
    progress: { ...screen, line: () => undefined },
    env,
    table: (columns, rows) => [columns, ...rows].map((row) => row.join(' ')).join('\n'),
    root,
    signal: new AbortController().signal,
    lines,
  };
}

import type { Readable } from 'node:stream';
import type { ResultRow } from '../query-engine.ts';
import type { ResultLine } from './sandbox-protocol.ts';

/** A batch of rows, or one line that is not a row. */
export interface ResultLineBatch {
  readonly control: ResultLine | undefined;
  readonly rows: readonly ResultRow[];
}

/** Reads a sandbox's result pipe, chunk by chunk, as fast as it is consumed. It ends where the pipe ends, complete or not. */
export async function* resultLines(pipe: Readable): AsyncGenerator<ResultLineBatch, undefined> {
  pipe.setEncoding('utf8');
  let rest = '';
  for await (const chunk of pipe as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    let rows: ResultRow[] = [];
    for (const line of lines) {
      if (line.startsWith('[')) {
        rows.push(JSON.parse(line) as ResultRow);
        continue;
      }
      if (rows.length > 0) yield { control: undefined, rows };
      rows = [];
      yield { control: JSON.parse(line) as ResultLine, rows: [] };
    }
    if (rows.length > 0) yield { control: undefined, rows };
  }
  return undefined;
}

import type { Readable } from 'node:stream';
import { QueryError } from '../../errors.ts';
import type { ResultRow } from '../query-engine.ts';
import { rowCharactersMax, type ResultLine } from './sandbox-protocol.ts';

/** A batch of rows, or one line that is not a row. */
export interface ResultLineBatch {
  readonly control: ResultLine | undefined;
  readonly rows: readonly ResultRow[];
}

/**
 * Reads one result from a sandbox's pipe, chunk by chunk, as fast as it is consumed. It ends with the line that ends the result, and
 * leaves the pipe open for the next; or where the pipe ends.
 *
 * @throws QueryError `result-too-large` for a row that is longer than a row may be
 */
export async function* resultLines(pipe: Readable): AsyncGenerator<ResultLineBatch, undefined> {
  // The pieces of a line that has not ended; joined once, so that a long line is not copied with every piece.
  let pieces: string[] = [];
  let characters = 0;
  for await (const chunk of pipe.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    const [first = '', ...others] = chunk.split('\n');
    pieces.push(first);
    characters += first.length;
    if (characters > rowCharactersMax) throw rowTooLarge();
    if (others.length === 0) continue;
    const lines = [pieces.join(''), ...others.slice(0, -1)];
    pieces = [others.at(-1)!];
    characters = pieces[0]!.length;
    let isOver = false;
    for (const batch of batchesOf(lines)) {
      isOver ||= batch.control !== undefined && 'end' in batch.control;
      yield batch;
    }
    if (isOver) return undefined;
  }
  return undefined;
}

/** The error of a row that is too long. */
export function rowTooLarge(): QueryError {
  return new QueryError(
    'result-too-large',
    `A row of the result has more than ${rowCharactersMax} characters. Select fewer or shorter columns, or aggregate less into one row.`,
  );
}

function* batchesOf(lines: readonly string[]): Generator<ResultLineBatch> {
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

import type { ResultPage } from '@millrace/contracts';

/** Rows of an answer when the caller names no number. */
export const rowsDefault = 100;

/** Rows that one answer may have: models read it whole. */
export const rowsMax = 1000;

/** Longest JSON text of the rows of one answer, in characters. */
export const rowsCharactersMax = 256 * 1024;

/** Rows of an answer. */
export interface CappedRows {
  readonly columns: ResultPage['columns'];
  readonly rows: ResultPage['rows'];
  /** Whether the result has more rows. */
  readonly truncated: boolean;
}

/** The first rows of a page, up to a length of their text. */
export function cappedRows({ columns, rows, next }: ResultPage, charactersMax: number = rowsCharactersMax): CappedRows {
  let characters = 0;
  const tooLong = rows.findIndex((row) => {
    characters += JSON.stringify(row).length + 1;
    return characters > charactersMax;
  });
  return tooLong === -1 ? { columns, rows, truncated: next !== undefined } : { columns, rows: rows.slice(0, tooLong), truncated: true };
}

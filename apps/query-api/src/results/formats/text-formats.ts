import type { ResultCell } from '@millrace/contracts';
import type { ResultColumn, ResultRow } from '../../engines/query-engine.ts';
import type { ResultFormat } from './result-format.ts';

/** A format of text. */
export interface TextFormat {
  readonly mediaType: string;
  readonly header: (columns: readonly ResultColumn[]) => string;
  readonly rows: (columns: readonly ResultColumn[], rows: readonly ResultRow[]) => string;
}

/**
 * One JSON object a line. It is written field by field, so that the fields keep the order of the columns: an object sorts names like `1`.
 */
export const ndjson: TextFormat = {
  mediaType: 'application/x-ndjson',
  header: () => '',
  rows: (columns, rows) => {
    const names = columns.map(({ name }) => JSON.stringify(name));
    return rows.map((row) => `{${names.map((name, index) => `${name}:${JSON.stringify(row[index] ?? null)}`).join(',')}}\n`).join('');
  },
};

/**
 * RFC 4180 with a header line. NULL is an empty field and an empty text is a quoted one. In a result of one column NULL is quoted,
 * too: most readers skip an empty line, so that its row would be lost.
 */
export const csv: TextFormat = {
  mediaType: 'text/csv',
  header: (columns) => `${columns.map(({ name }) => csvField(name)).join(',')}\r\n`,
  rows: (_columns, rows) => rows.map((row) => `${row.map(csvField).join(',') || '""'}\r\n`).join(''),
};

/** A format of text as one that writes whole results. */
export function textFormat({ mediaType, header, rows }: TextFormat): ResultFormat {
  return {
    mediaType,
    contentType: `${mediaType}; charset=utf-8`,
    async *encode(columns, batches) {
      const first = header(columns);
      if (first !== '') yield first;
      for await (const batch of batches) yield rows(columns, batch);
    },
  };
}

function csvField(cell: ResultCell): string {
  if (cell === null) return '';
  const text = String(cell);
  // Readers drop U+FEFF at the start of a file, and pandas skips a line of spaces; in quotes both are text. \s holds U+FEFF.
  return text === '' || /^\s|\s$|[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

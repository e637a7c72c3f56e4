import type { ResultCell } from '@millrace/contracts';
import type { ResultColumn, ResultRow } from '../engines/query-engine.ts';

/** How a whole result is written for a client, batch by batch. */
export interface ResultFormat {
  readonly mediaType: string;
  header(columns: readonly ResultColumn[]): string;
  rows(columns: readonly ResultColumn[], rows: readonly ResultRow[]): string;
}

/** One JSON object a line. Column names are unique in every result. */
const ndjson: ResultFormat = {
  mediaType: 'application/x-ndjson',
  header: () => '',
  rows: (columns, rows) => rows.map((row) => `${JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))}\n`).join(''),
};

/** RFC 4180 with a header line. NULL is an empty field; an empty string is a quoted one. */
const csv: ResultFormat = {
  mediaType: 'text/csv',
  header: (columns) => `${columns.map(({ name }) => csvField(name)).join(',')}\r\n`,
  rows: (_columns, rows) => rows.map((row) => `${row.map(csvField).join(',')}\r\n`).join(''),
};

/** Formats that carry a whole result in one answer. */
export const wholeFormats: readonly ResultFormat[] = [ndjson, csv];

/** A whole result as text. */
export async function* formatted(format: ResultFormat, columns: readonly ResultColumn[], batches: AsyncIterable<readonly ResultRow[]>): AsyncGenerator<string> {
  const header = format.header(columns);
  if (header !== '') yield header;
  for await (const batch of batches) yield format.rows(columns, batch);
}

function csvField(cell: ResultCell): string {
  if (cell === null) return '';
  const text = String(cell);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

import type { StaleAnswer } from '../queries/query-record.ts';
import type { ResultManifest } from './result-manifest.ts';

/** The manifest of a result that lies in the query's own record. */
export function inlineResult(queryId: string, { columns, rows }: StaleAnswer): ResultManifest {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const bytes = Buffer.byteLength(text);
  const parts = rows.length === 0 ? [] : [{ rows: rows.length, bytes, text }];
  return { v: 1, queryId, columns, rows: rows.length, bytes, bytesScanned: 0, parts };
}

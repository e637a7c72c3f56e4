import { QueryError } from '../errors.ts';
import type { ResultManifest } from './result-manifest.ts';

/** A cursor before a row (from 0). It is opaque to clients and valid for one query only. */
export function cursorOf(row: number, { queryId }: Pick<ResultManifest, 'queryId'>): string {
  return Buffer.from(`${queryId}:${row}`).toString('base64url');
}

/**
 * Returns the row at which a cursor continues.
 *
 * @throws QueryError `validation` when it was not given for this query
 */
export function rowOfCursor(cursor: string, { queryId, rows }: Pick<ResultManifest, 'queryId' | 'rows'>): number {
  const [id, text = '', ...more] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  const row = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (id !== queryId || more.length > 0 || row < 0 || row > rows) {
    throw new QueryError('validation', 'The cursor was not given for this query. Use the "next" of the page before.', {
      errors: [{ field: 'cursor', message: 'must be the "next" of a page of this query' }],
    });
  }
  return row;
}

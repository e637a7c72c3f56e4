import { queryLimits, type ResultLinks } from '@millrace/contracts';
import { unanswered } from '../unanswered.ts';
import { cursorOf, rowOfCursor } from './result-cursor.ts';
import type { ResultManifest, ResultPart } from './result-manifest.ts';

/** Signs the address of an object, which anyone may read until it expires. */
export type LinkTo = (key: string, seconds: number) => Promise<string>;

/** The links that a caller asks for. */
export interface LinkRequest {
  readonly seconds: number;
  /** `next` of the answer before; undefined for the first parts. */
  readonly cursor: string | undefined;
}

/**
 * Links to the parts of a result, from the part of the cursor on.
 *
 * @throws QueryError `validation` for a cursor that is not ours, `unavailable` when there are no credentials to sign with
 */
export async function linksTo(manifest: ResultManifest, asked: LinkRequest, nowMs: number, linkTo: LinkTo): Promise<ResultLinks> {
  const { columns, rows, bytes, parts } = manifest;
  const { seconds, cursor } = asked;
  const from = cursor === undefined ? 0 : rowOfCursor(cursor, manifest);
  let first = 0;
  const later = parts.filter((part) => {
    first += part.rows;
    return first > from;
  });
  const page = later.slice(0, queryLimits.linksMax);
  const left = later.slice(queryLimits.linksMax).reduce((sum, part) => sum + part.rows, 0);
  return {
    columns,
    rows,
    bytes,
    // Links are valid from the second in which they are signed.
    expiresAt: new Date(Math.floor(nowMs / 1000 + seconds) * 1000).toISOString(),
    parts: await Promise.all(page.map(async (part) => ({ rows: part.rows, bytes: part.bytes, url: await urlOf(part, seconds, linkTo) }))),
    ...(left === 0 ? {} : { next: cursorOf(rows - left, manifest) }),
  };
}

async function urlOf(part: ResultPart, seconds: number, linkTo: LinkTo): Promise<string> {
  if ('text' in part) return `data:application/x-ndjson;base64,${Buffer.from(part.text).toString('base64')}`;
  try {
    return await linkTo(part.key, seconds);
  } catch (error) {
    throw unanswered(error, 'Links to the result cannot be signed: the service has no credentials for S3 now.');
  }
}

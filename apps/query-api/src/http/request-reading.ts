import { queryLimits } from '@millrace/contracts';
import { validationError } from '../errors.ts';
import type { CacheUse } from '../queries/cache/cached-answers.ts';

/** Rows of a page when the caller names no limit. */
const pageRowsDefault = 1000;
/** Rows of the sample of a table when the caller names no number. */
const sampleRowsDefault = 5;

/** The parameters of a request's query string. */
export type QueryString = Readonly<Record<string, string | string[] | undefined>>;

/** Milliseconds that `Prefer: wait=N` asks for (RFC 7240), at most the longest wait; 0 without it. An unreadable preference is ignored. */
export function preferredWaitMs(prefer: string | undefined): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '');
  return match === null ? 0 : Math.min(Number(match[1]), queryLimits.waitSecondsMax) * 1000;
}

/** Milliseconds that `?wait=N` asks for. */
export function waitMsOf(query: QueryString): number {
  return (wholeNumber(query, 'wait', 0, queryLimits.waitSecondsMax) ?? 0) * 1000;
}

/** Rows that a page may have. */
export function limitOf(query: QueryString): number {
  return wholeNumber(query, 'limit', 1, queryLimits.pageRowsMax) ?? pageRowsDefault;
}

/** Rows that the sample of a table may have; 0 for none. */
export function sampleRowsOf(query: QueryString): number {
  return wholeNumber(query, 'sample', 0, queryLimits.sampleRowsMax) ?? sampleRowsDefault;
}

/** Seconds for which links to a result are valid. */
export function linkSecondsOf(query: QueryString): number {
  return wholeNumber(query, 'seconds', queryLimits.linkSecondsMin, queryLimits.linkSecondsMax) ?? queryLimits.linkSecondsDefault;
}

/**
 * Reads the request of `Cache-Control`: `no-cache` asks for a separate run whose result is kept, `no-store` for one whose result is not.
 */
export function cacheUseOf(cacheControl: string | undefined): CacheUse {
  const directives = (cacheControl ?? '').split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.includes('no-store')) return 'avoid';
  return directives.includes('no-cache') ? 'refresh' : 'use';
}

export function cursorOf({ cursor }: QueryString): string | undefined {
  if (cursor === undefined || typeof cursor === 'string') return cursor;
  throw validationError([{ field: 'cursor', message: 'must be given once' }]);
}

/** Whether an `If-None-Match` names the tag (RFC 9110: compared weakly). */
export function matchesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((candidate) => candidate.trim() === '*' || candidate.trim().replace(/^W\//, '') === tag);
}

/**
 * The first of some media types that `Accept` takes, by its weights; the offer's order decides between equals. Undefined when it takes
 * none.
 */
export function acceptedOf(accept: string | undefined, offered: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = accept.split(',').map((part) => {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { range, weight: weight === undefined ? 1 : Number(weight) };
  });
  const weightOf = (type: string): number => {
    const exact =
      ranges.find(({ range }) => range === type) ??
      ranges.find(({ range }) => range === `${type.split('/')[0]}/*`) ??
      ranges.find(({ range }) => range === '*/*');
    return exact?.weight ?? 0;
  };
  const best = offered.toSorted((a, b) => weightOf(b) - weightOf(a))[0];
  return best !== undefined && weightOf(best) > 0 ? best : undefined;
}

function wholeNumber(query: QueryString, field: string, minimum: number, maximum: number): number | undefined {
  const text = query[field];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw validationError([{ field, message: `must be a whole number from ${minimum} to ${maximum}` }]);
}

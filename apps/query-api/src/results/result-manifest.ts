import type { ResultColumn } from '../engines/query-engine.ts';

/** Rows of a result as NDJSON: a JSON array of cells a line. They are in an object, or in the manifest itself where they are few. */
export type ResultPart = { readonly rows: number; readonly bytes: number } & ({ readonly key: string } | { readonly text: string });

/** Largest result that its manifest holds, in bytes. */
export const inlineBytesMax = 64 * 1024;

/** The parts of a result. The manifest is written last, put-if-absent: the first worker to finish a query decides its result. */
export interface ResultManifest {
  readonly v: 1;
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly rows: number;
  readonly bytes: number;
  readonly bytesScanned: number;
  readonly parts: readonly ResultPart[];
}

/** Largest manifest that the record of its query has a copy of, in characters of JSON. Redis keeps the record. */
const recordCharactersMax = 2048;

/** The manifest of a small result, for the record of its query; undefined for a larger one. Its reader then needs no call of S3. */
export function smallManifest(manifest: ResultManifest): ResultManifest | undefined {
  const isWhole = manifest.bytes < recordCharactersMax && manifest.parts.every((part) => 'text' in part);
  return isWhole && JSON.stringify(manifest).length <= recordCharactersMax ? manifest : undefined;
}

/** Prefix of everything kept of one query's result. */
export function resultPrefix(queryId: string): string {
  return `_results/${queryId}/`;
}

export function manifestKey(queryId: string): string {
  return `${resultPrefix(queryId)}manifest.json`;
}

/** Key of one part. The writer's own id keeps two workers that run the same query apart until one manifest wins. */
export function partKey(queryId: string, writerId: string, index: number): string {
  return `${resultPrefix(queryId)}${writerId}/part-${String(index).padStart(5, '0')}.ndjson`;
}

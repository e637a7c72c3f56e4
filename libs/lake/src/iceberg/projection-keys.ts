import { invertedOffset } from '../keys.ts';

/** Prefix of everything that the projection of a table writes. Readers of the base never look there. */
export function projectionPrefix(table: string): string {
  return `_iceberg/${table}/`;
}

/** Prefix of the commits of a projection, and nothing else. */
export function commitPrefix(table: string): string {
  return `${projectionPrefix(table)}commits/`;
}

/** Key of commit `n`, from 1. The newest commit sorts first, so one LIST of one key finds the head. */
export function commitKey(table: string, n: number): string {
  return `${commitPrefix(table)}${invertedOffset(n)}-${n}.json`;
}

/** Prefix of table metadata, manifest lists and manifests. */
export function metadataPrefix(table: string): string {
  return `${projectionPrefix(table)}metadata/`;
}

/** Prefix of the data files that compaction wrote. Files of the base are elsewhere, so no deletion can reach them. */
export function compactedPrefix(table: string): string {
  return `${projectionPrefix(table)}data/`;
}

/** Key of the list of objects that wait for their deletion. */
export function marksKey(table: string): string {
  return `${projectionPrefix(table)}marks.json`;
}

/** Name of the metadata file of commit `n`, in the form of Iceberg's catalogs. Its id makes it unique to one attempt. */
export function metadataName(n: number, id: string): string {
  return `${String(n).padStart(5, '0')}-${id}`;
}

/** Key of the metadata file of commit `n`. */
export function metadataKey(table: string, n: number, id: string): string {
  return `${metadataPrefix(table)}${metadataName(n, id)}.metadata.json`;
}

/** The commit that a key of a metadata file names, or undefined when the projection gives no such name. */
export function commitOfMetadataKey(table: string, key: string): number | undefined {
  const name = key.startsWith(metadataPrefix(table)) ? key.slice(metadataPrefix(table).length) : '';
  const match = /^(\d{5,15})-[0-9a-z-]+\.metadata\.json$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** Key of manifest `part` of an attempt at commit `n`. */
export function manifestKey(table: string, n: number, id: string, part: number): string {
  return `${metadataPrefix(table)}${metadataName(n, id)}-m${part}.avro`;
}

/** Key of the manifest list of an attempt at commit `n`. */
export function manifestListKey(table: string, n: number, id: string): string {
  return `${metadataPrefix(table)}snap-${metadataName(n, id)}.avro`;
}

/** Key of the object by which readers without a catalog find the newest metadata file. */
export function versionHintKey(table: string): string {
  return `${metadataPrefix(table)}version-hint.text`;
}

/** A compacted file, as its key describes it. */
export interface CompactedName {
  /** How often the rows of the file were rewritten, from 1. */
  readonly generation: number;
  /** Number of the last commit that may add the file. */
  readonly commitMax: number;
}

/** Key of a compacted file. */
export function compactedKey(
  table: string,
  { partitionKey, value, generation, commitMax, id }: CompactedName & { partitionKey: string; value: string; id: string },
): string {
  return `${compactedPrefix(table)}${partitionKey}=${value}/g${generation}-${String(commitMax).padStart(5, '0')}-${id}.parquet`;
}

/** Reads the key of a compacted file. Undefined for every other key, files of the base included. */
export function readCompactedKey(table: string, key: string): CompactedName | undefined {
  if (!key.startsWith(compactedPrefix(table))) return undefined;
  const match = /\/g(\d)-(\d{5,15})-[0-9a-z-]+\.parquet$/.exec(key);
  return match === null ? undefined : { generation: Number(match[1]), commitMax: Number(match[2]) };
}

/**
 * The last commit that may come to reference an object which no commit references yet. Once the newest commit has this number, the object stays
 * unreferenced: commits are never deleted, so put-if-absent refuses every later attempt. Undefined when the key is not that of such an object.
 */
export function commitMaxOf(table: string, key: string): number | undefined {
  const compacted = readCompactedKey(table, key);
  if (compacted !== undefined) return compacted.commitMax;
  if (!key.startsWith(metadataPrefix(table))) return undefined;
  const name = key.slice(metadataPrefix(table).length);
  const match = /^(?:snap-)?(\d{5,15})-[0-9a-z-]+(?:\.metadata\.json|\.avro)$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

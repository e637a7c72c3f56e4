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

/** Key of a manifest of a snapshot. */
export function manifestKey(table: string, snapshot: string, n: number): string {
  return `${metadataPrefix(table)}${snapshot}-m${n}.avro`;
}

/** Key of the manifest list of a snapshot. */
export function manifestListKey(table: string, snapshot: string): string {
  return `${metadataPrefix(table)}snap-${snapshot}.avro`;
}

/** Key of the object by which readers without a catalog find the newest metadata file. */
export function versionHintKey(table: string): string {
  return `${metadataPrefix(table)}version-hint.text`;
}

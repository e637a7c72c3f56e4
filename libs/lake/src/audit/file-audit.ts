import { createHash } from 'node:crypto';
import type { LandedFile, LedgerEntry, RejectFile } from '../entry.ts';
import type { LaneId } from '../keys.ts';
import type { CallOptions, InspectableStore } from '../object-store.ts';
import { offsetsIn, rangesHold } from '../ranges.ts';
import type { LaneTotals } from '../checkpoint/lane-fold.ts';
import type { AuditFindings } from './audit-report.ts';
import { rowPlaces, rowsInFooter } from './parquet-rows.ts';

/** User metadata of the empty file by which `./millrace repair` replaces a lost one: the number of lost rows. */
export const lostMetadata = 'millrace-lost';

/** Dependencies of the audit of files. */
export interface FileAuditParts {
  readonly store: InspectableStore;
  readonly findings: AuditFindings;
  readonly deep: boolean;
  readonly call: CallOptions;
  /** Reads the number of rows from the footer of a Parquet file. */
  readonly rowsOf: typeof rowsInFooter;
  /** Receives the totals of a lane after each entry that the audit reads. */
  readonly onTotals?: (partition: number, end: number, totals: () => LaneTotals) => void;
}

/** Findings of one file. */
export type FileFound =
  | { readonly kind: 'there'; readonly rows: number }
  | { readonly kind: 'lost'; readonly rows: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'wrong' };

const restore = 'Restore it from the version history of the bucket, or run ./millrace repair, which records the loss.';

/**
 * Audits a Parquet file that a landed entry names.
 *
 * @param listed its size in the listing. Null: no listing has it. Undefined: the listing is known to be correct
 * @param seen one byte for each offset of the entry; a deep audit marks the offsets that it has seen
 */
export async function auditFile(
  parts: FileAuditParts,
  lane: LaneId,
  entry: LedgerEntry,
  file: LandedFile,
  listed: number | null | undefined,
  seen: Uint8Array,
): Promise<FileFound> {
  const { store, findings, deep, call, rowsOf } = parts;
  const wrong = (what: string): FileFound => {
    findings.fault({
      kind: 'wrong-file',
      partition: lane.partition,
      key: file.key,
      what: `${file.key} ${what}.`,
      next: 'Someone overwrote it. Restore it from the version history of the bucket.',
    });
    return { kind: 'wrong' };
  };
  const bytes = listed === undefined ? file.bytes : listed;
  if (bytes === null) {
    if (await missing(parts, lane, file, file.rows, 'row')) return { kind: 'missing' };
    return await auditFile(parts, lane, entry, file, (await store.size(file.key, call)) ?? null, seen);
  }
  if (bytes !== file.bytes) {
    const lost = (await store.metadata(file.key, call))?.[lostMetadata];
    if (lost === undefined) return wrong(`has ${bytes} bytes where its entry says ${file.bytes}`);
    if (Number(lost) !== file.rows) return wrong(`says that ${lost} rows were lost, its entry had ${file.rows}`);
    findings.loss({
      kind: 'by-hand',
      partition: lane.partition,
      key: file.key,
      offsets: file.rows,
      what: `${file.key} was deleted by hand; an empty file replaces it.`,
    });
    return { kind: 'lost', rows: file.rows };
  }
  try {
    if (!deep) {
      const rows = await rowsOf(store, file.key, bytes, call);
      return rows === file.rows ? { kind: 'there', rows } : wrong(`has ${rows} rows where its entry says ${file.rows}`);
    }
    const content = await store.get(file.key, call);
    if (content === undefined) return await auditFile(parts, lane, entry, file, null, seen);
    if (createHash('sha256').update(content).digest('hex') !== file.sha256) return wrong('is not the bytes that its entry names');
    const places = await rowPlaces(content);
    const problem =
      placesProblem(places, lane, entry, seen) ??
      (places.length === file.rows ? undefined : `has ${places.length} rows where its entry says ${file.rows}`);
    return problem === undefined ? { kind: 'there', rows: places.length } : wrong(problem);
  } catch (error) {
    call.signal?.throwIfAborted();
    if (isStoreError(error)) throw error;
    return wrong(`cannot be read as Parquet: ${(error as Error).message}`);
  }
}

/** Audits the reject file of a landed entry. Resolves with the number of rejects. */
export async function auditRejects(
  parts: FileAuditParts,
  lane: LaneId,
  entry: LedgerEntry,
  file: RejectFile,
  listed: number | null | undefined,
): Promise<FileFound> {
  const { store, findings, deep, call } = parts;
  const wrong = (what: string): FileFound => {
    findings.fault({
      kind: 'wrong-file',
      partition: lane.partition,
      key: file.key,
      what: `${file.key} ${what}.`,
      next: 'Someone overwrote it. Restore it from the version history of the bucket.',
    });
    return { kind: 'wrong' };
  };
  const bytes = listed === undefined ? file.bytes : listed;
  if (bytes === null) {
    if (await missing(parts, lane, file, file.count, 'reject')) return { kind: 'missing' };
    return await auditRejects(parts, lane, entry, file, (await store.size(file.key, call)) ?? null);
  }
  if (bytes !== file.bytes) {
    const lost = (await store.metadata(file.key, call))?.[lostMetadata];
    if (lost === undefined || Number(lost) !== file.count) return wrong(`has ${bytes} bytes where its entry says ${file.bytes}`);
    findings.loss({
      kind: 'by-hand',
      partition: lane.partition,
      key: file.key,
      offsets: file.count,
      what: `${file.key} was deleted by hand; an empty file replaces it.`,
    });
    return { kind: 'lost', rows: file.count };
  }
  if (!deep) return { kind: 'there', rows: file.count };
  const content = await store.get(file.key, call);
  if (content === undefined) return await auditRejects(parts, lane, entry, file, null);
  if (createHash('sha256').update(content).digest('hex') !== file.sha256) return wrong('is not the bytes that its entry names');
  const offsets = new Set<number>();
  for (const line of Buffer.from(content).toString('utf8').split('\n'))
    if (line !== '') offsets.add((JSON.parse(line) as { offset: number }).offset);
  const fits = offsets.size === offsetsIn(entry.rejected) && [...offsets].every((offset) => rangesHold(entry.rejected, offset));
  return fits ? { kind: 'there', rows: offsets.size } : wrong('does not hold the offsets that its entry rejected');
}

// A listing may be older than the file: only the object itself proves that the file is missing.
async function missing(
  { store, findings, call }: FileAuditParts,
  lane: LaneId,
  file: { readonly key: string; readonly staged: string },
  count: number,
  one: 'row' | 'reject',
): Promise<boolean> {
  if ((await store.size(file.key, call)) !== undefined) return false;
  const staged = (await store.size(file.staged, call)) !== undefined;
  findings.fault({
    kind: 'missing-file',
    partition: lane.partition,
    key: file.key,
    what: `${file.key} is not there: ${count} ${count === 1 ? one : `${one}s`} of partition ${lane.partition} ${count === 1 ? 'was' : 'were'} deleted by hand${staged ? ', and a copy is still staged' : ''}.`,
    next: staged ? 'Run ./millrace repair, which publishes the staged file.' : restore,
  });
  return true;
}

function placesProblem(
  places: readonly { partition: number; offset: number }[],
  lane: LaneId,
  entry: LedgerEntry,
  seen: Uint8Array,
): string | undefined {
  for (const { partition, offset } of places) {
    if (partition !== lane.partition) return `has a row of partition ${partition}`;
    if (!(offset >= entry.from && offset < entry.to))
      return `has a row of offset ${offset}, outside its entry's [${entry.from}, ${entry.to})`;
    if (seen[offset - entry.from] !== 0) return `has offset ${offset}, which another row has, too`;
    seen[offset - entry.from] = 1;
  }
  return undefined;
}

function isStoreError(error: unknown): boolean {
  return error instanceof Error && error.name === 'LakeError';
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { defaultRetention, isLakeError, Projection, rowsInFooter, type ProjectionCommit } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import type { Lake } from '../lake/open-lake.ts';
import { grouped } from '../numbers.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';

/** Options of {@link rebuildProjection}. */
export interface RebuildProjectionOptions extends OperationOptions<'rebuild'> {
  /** Milliseconds for which a snapshot stays listed after another one replaced it, as the projector has it, ≥ 0. Default 1 hour. */
  readonly snapshotMs?: number | undefined;
}

/** The Iceberg table as one commit has it. */
export type ProjectionTotals = Pick<ProjectionCommit, 'n' | 'files' | 'rows' | 'lostRows'>;

/** Result of {@link rebuildProjection}. */
export interface RebuildProjectionResult {
  /** Prefix of the table in the bucket. */
  readonly table: string;
  /** The commit that was replaced. Null when there was no Iceberg table. */
  readonly before: ProjectionTotals | null;
  readonly after: ProjectionTotals;
  /** Whether Glue names the new commit. If not, the next round of a projector moves the pointer. */
  readonly inCatalog: boolean;
}

/**
 * Makes the Iceberg table of a lake anew from its ledger, in one commit. Sinks, projectors and queries continue meanwhile. An operation that
 * ends in the middle changes nothing and can be repeated.
 *
 * @throws OperationError `not-found` when nothing has landed, or when the ledger ends before the position of the table
 * @throws LakeError `foreign-commit` when another writer has changed the table in the catalog
 */
export async function rebuildProjection(
  { store, bucket, stream, icebergPointer }: Lake,
  { snapshotMs = defaultRetention.ageMs, signal, onProgress }: RebuildProjectionOptions,
): Promise<RebuildProjectionResult> {
  const note = beginPhase(onProgress, 'rebuild');
  let inCatalog = true;
  const projection = new Projection({
    store,
    bucket,
    stream,
    catalog: icebergPointer,
    writer: `rebuild-${hostname()}-${process.pid}`,
    retention: { ...defaultRetention, ageMs: snapshotMs },
    now: Date.now,
    newId: randomUUID,
    rowsOf: async (key, bytes) => await rowsInFooter(store, key, bytes),
    onPointerFailure: () => {
      inCatalog = false;
    },
  });
  try {
    const { before, commit } = await projection.rebuild({ signal, onFiles: (count) => note(`${grouped(count)} landed files found`) });
    return { table: stream.table, before: before === undefined ? null : totalsOf(before), after: totalsOf(commit), inCatalog };
  } catch (error) {
    if (isLakeError(error, 'invalid')) throw new OperationError('not-found', `Nothing was rebuilt: ${error.message}.`, { cause: error });
    throw error;
  }
}

function totalsOf({ n, files, rows, lostRows }: ProjectionCommit): ProjectionTotals {
  return { n, files, rows, lostRows };
}

import { validatorFor } from '@millrace/contracts';
import { Type, type Static } from 'typebox';
import { parseStored } from '../parse-stored.ts';
import { checkpointKey, checkpointPrefix, toOfCheckpointKey, type LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import type { LaneTotals } from './lane-fold.ts';

/** Number of entries between two checkpoints of a lane. */
export const entriesPerCheckpoint = 1000;

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const checkpointSchema = Type.Object({
  v: Type.Literal(1),
  entries: count,
  to: count,
  id: Type.String({ minLength: 1 }),
  rows: count,
  rejected: count,
  dropped: count,
  absent: count,
  gap: count,
  files: count,
  bytes: count,
  named: Type.Object({ count, hash: Type.String({ pattern: '^[0-9a-f]{16}$' }) }),
  days: Type.Record(
    Type.String(),
    Type.Object({ rows: count, files: count, bytes: count, minTimestamp: Type.Integer(), maxTimestamp: Type.Integer() }),
  ),
});

/**
 * The totals of a lane's landed entries from offset 0, as an object. It derives from the entries alone: anyone can delete and rebuild it,
 * and the result has the same bytes.
 */
export type Checkpoint = Static<typeof checkpointSchema>;

const validator = validatorFor(checkpointSchema);

/** Writes a checkpoint. Every writer writes the same bytes, so the PUT needs no condition. */
export async function putCheckpoint(store: ObjectStore, lane: LaneId, totals: LaneTotals, options: CallOptions = {}): Promise<void> {
  const key = checkpointKey(lane, totals.to);
  await store.put(key, Buffer.from(`${JSON.stringify({ v: 1, ...totals })}\n`), { ...options, contentType: 'application/json' });
}

/**
 * Reads the checkpoint over [0, to). Undefined when it does not exist or is not valid: the caller then reads the entries.
 */
export async function getCheckpoint(
  store: ObjectStore,
  lane: LaneId,
  to: number,
  options: CallOptions = {},
): Promise<Checkpoint | undefined> {
  const key = checkpointKey(lane, to);
  const bytes = await store.get(key, options);
  if (bytes === undefined) return undefined;
  try {
    const checkpoint = parseCheckpoint(key, bytes);
    return checkpoint.to === to ? checkpoint : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Parses a checkpoint.
 *
 * @throws LakeError `bad-entry` with the key and the fault
 */
export function parseCheckpoint(key: string, bytes: Uint8Array): Checkpoint {
  return parseStored(key, bytes, validator);
}

/** Finds the newest readable checkpoint of a lane. It costs one LIST and one GET, and more when the newest cannot be read. */
export async function newestCheckpoint(store: ObjectStore, lane: LaneId, options: CallOptions = {}): Promise<Checkpoint | undefined> {
  let startAfter: string | undefined;
  for (;;) {
    const [key] = await store.list(checkpointPrefix(lane), { ...options, limit: 1, ...(startAfter === undefined ? {} : { startAfter }) });
    if (key === undefined) return undefined;
    const to = toOfCheckpointKey(key);
    const found = to === undefined ? undefined : await getCheckpoint(store, lane, to, options);
    if (found !== undefined) return found;
    startAfter = key;
  }
}

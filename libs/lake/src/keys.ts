/** One lane of a table: a topic partition. */
export interface LaneId {
  readonly table: string;
  readonly topic: string;
  readonly partition: number;
}

// Offsets are signed 64-bit in Kafka; inverting them makes the newest entry the first key of a LIST.
const offsetMax = 2n ** 63n - 1n;

/** A number from 0 as 19 digits whose order is reversed, so that the key of the largest one comes first in a LIST. */
export function invertedOffset(offset: number): string {
  return (offsetMax - BigInt(offset)).toString().padStart(19, '0');
}

/** Prefix of a table's ledger, over all lanes. */
export function tableLedgerPrefix(table: string): string {
  return `_ledger/${table}/`;
}

/** Prefix under which a lane's entries live, and nothing else. */
export function ledgerPrefix({ table, topic, partition }: LaneId): string {
  return `${tableLedgerPrefix(table)}${topic}/p=${partition}/`;
}

/** Key of the entry that starts at `from`. The newest entry of a lane sorts first. */
export function entryKey(lane: LaneId, from: number): string {
  return `${ledgerPrefix(lane)}${invertedOffset(from)}-${from}.json`;
}

/** `StartAfter` for a LIST whose first key is the entry that holds `offset`. */
export function startAfterFor(lane: LaneId, offset: number): string {
  return `${ledgerPrefix(lane)}${invertedOffset(offset)}`;
}

/** The `from` that an entry's key names, or undefined when the key is not an entry's. */
export function fromOfEntryKey(key: string): number | undefined {
  return offsetOfInvertedKey(key);
}

/** Prefix of a table's checkpoints, over all lanes. */
export function tableCheckpointPrefix(table: string): string {
  return `_checkpoints/${table}/`;
}

/** Prefix of a lane's checkpoints. */
export function checkpointPrefix({ table, topic, partition }: LaneId): string {
  return `${tableCheckpointPrefix(table)}${topic}/p=${partition}/`;
}

/** Key of the lane's checkpoint over the offsets [0, to). The newest sorts first. */
export function checkpointKey(lane: LaneId, to: number): string {
  return `${checkpointPrefix(lane)}${invertedOffset(to)}-${to}.json`;
}

/** `StartAfter` for a LIST whose first key is the newest checkpoint over nothing at or above `offset`. */
export function startAfterForCheckpoint(lane: LaneId, offset: number): string {
  return `${checkpointPrefix(lane)}${invertedOffset(offset)}`;
}

/** The `to` that a checkpoint's key names, or undefined when the key is not a checkpoint's. */
export function toOfCheckpointKey(key: string): number | undefined {
  return offsetOfInvertedKey(key);
}

function offsetOfInvertedKey(key: string): number | undefined {
  const match = /\/(\d{19})-(\d{1,16})\.json$/.exec(key);
  if (match === null) return undefined;
  const offset = Number(match[2]);
  return invertedOffset(offset) === match[1] ? offset : undefined;
}

/** Prefix of everything staged for a table. */
export function stagingPrefix(table: string): string {
  return `_staging/${table}/`;
}

/** Key under which file `n` of a batch is staged. */
export function stagedKey(table: string, batchId: string, n: number | 'rejects'): string {
  return `${stagingPrefix(table)}${batchId}/${n}`;
}

/** Prefix of the objects by which sinks probe a table's store. They are never read later. */
export function probePrefix(table: string): string {
  return `_probes/${table}/`;
}

/** Prefix of the probes of one process. */
export function probesOf(table: string, incarnation: string): string {
  return `${probePrefix(table)}${incarnation}/`;
}

/** Prefix of the table's visible files. */
export function tablePrefix(table: string): string {
  return `${table}/`;
}

/** Prefix of the visible files of one value of the partition key. */
export function partitionPrefix(table: string, partitionKey: string, value: string): string {
  return `${tablePrefix(table)}${partitionKey}=${value}/`;
}

/** A batch's range and identity, as file names carry it. */
export interface BatchRange {
  readonly id: string;
  readonly from: number;
  readonly to: number;
}

/** Key of a visible Parquet file. */
export function dataKey(lane: LaneId, partitionKey: string, value: string, { id, from, to }: BatchRange): string {
  return `${partitionPrefix(lane.table, partitionKey, value)}p${lane.partition}-${from}-${to}-${id}.parquet`;
}

/** Key of the permission to skip the batch at an offset of a topic. It belongs to the topic, so every table of the topic follows it. */
export function skipKey(topic: string, partition: number, from: number): string {
  return `_skips/${topic}/p=${partition}/${from}.json`;
}

/** Prefix of a lane's reject files. */
export function rejectsPrefix({ table, topic, partition }: LaneId): string {
  return `_rejects/${table}/${topic}/p=${partition}/`;
}

/** Key of a batch's reject file. */
export function rejectsKey(lane: LaneId, { id, from, to }: BatchRange): string {
  return `${rejectsPrefix(lane)}${from}-${to}-${id}.ndjson`;
}

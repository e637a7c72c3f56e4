import { dataKey, rejectsKey, stagedKey, type LaneId, type LedgerEntry } from '@millrace/lake';
import type { Stream } from '@millrace/contracts';
import type { EncodedBatch, SealedBatch, StagedBody } from '../spool/batch.ts';
import type { SegmentEncoder } from '../spool/segment-encoder.ts';
import { manifestOf } from '../spool/spool-manifest.ts';

/** The parts of a ledger entry that do not come from the batch. */
export interface EntryContext {
  readonly stream: Stream;
  readonly lane: LaneId;
  readonly writer: string;
  /** Id of the Kafka cluster. */
  readonly cluster: string;
}

/** Encodes a sealed batch, draws up its entry, and makes both durable. From here on the lines are not needed any more. */
export async function encodeBatch(
  encoder: SegmentEncoder,
  batch: SealedBatch,
  context: EntryContext,
  signal: AbortSignal,
): Promise<EncodedBatch> {
  const { stream, lane } = context;
  const bodies: StagedBody[] = [];
  const files: LedgerEntry['files'] = [];
  for (const [n, segment] of batch.segments.entries()) {
    const file = `${n}.parquet`;
    await batch.files.verify(segment.file, segment.crc32);
    const encoded = await encoder.encode(batch.files, segment, file, lane.partition, signal);
    const staged = stagedKey(lane.table, batch.id, n);
    bodies.push({ staged, file, body: batch.files.body(file, encoded.bytes), bytes: encoded.bytes, sha256: encoded.sha256 });
    files.push({
      key: dataKey(lane, stream.partitionKey, segment.dt, batch),
      staged,
      dt: segment.dt,
      rows: encoded.rows,
      bytes: encoded.bytes,
      sha256: encoded.sha256,
      minTimestamp: segment.minTimestamp,
      maxTimestamp: segment.maxTimestamp,
    });
  }
  let rejects: LedgerEntry['rejects'];
  if (batch.rejects !== undefined) {
    const { file, crc32 } = batch.rejects;
    await batch.files.verify(file, crc32);
    const { bytes, sha256 } = await encoder.asIs(batch.files, file);
    const staged = stagedKey(lane.table, batch.id, 'rejects');
    bodies.push({ staged, file, body: batch.files.body(file, bytes), bytes, sha256 });
    rejects = { key: rejectsKey(lane, batch), staged, count: batch.rejects.count, bytes, sha256 };
  }
  const entry: LedgerEntry = {
    v: 1,
    id: batch.id,
    prev: batch.prev,
    kind: 'batch',
    from: batch.from,
    to: batch.to,
    dropped: [...batch.dropped],
    rejected: [...batch.rejected],
    absent: [...batch.absent],
    files,
    ...(rejects === undefined ? {} : { rejects }),
    ...(batch.last === undefined ? {} : { last: batch.last }),
    topic: { cluster: context.cluster },
    writer: context.writer,
    contract: stream.contract,
  };
  const encoded: EncodedBatch = {
    entry,
    bodies,
    takenAt: batch.takenAt,
    files: batch.files,
    bytes: bodies.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  await batch.files.persist(
    bodies.map(({ file }) => file),
    manifestOf(encoded),
  );
  for (const { file } of batch.segments) await batch.files.remove(file);
  return encoded;
}

import { codecNames, type UndecodableBatch } from '@millrace/kafka';
import type { KafkaAccess } from '@millrace/kafka/access';
import { Ledger, readSkipPermission, writeSkipPermission } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import { readTopic } from '../kafka/read-topic.ts';
import type { Lake } from '../lake/open-lake.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';
import type { Target } from '../target.ts';

/** A batch that cannot be decoded. */
export interface FoundBatch {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** The offset after the batch. Null when it is not known. */
  readonly to: number | null;
  readonly reason: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Values of the batch header. Null when the batch has none. */
  readonly header: { readonly records: number; readonly codec: string; readonly producerId: string; readonly maxTimestamp: string } | null;
  /** Whether the sink may skip the batch. */
  readonly permitted: boolean;
}

/** Options of {@link repairUndecodable}. */
export interface RepairUndecodableOptions extends OperationOptions<'read'> {
  /** Permits the sink to skip the batch. Default: false, which only shows it. */
  readonly apply?: boolean;
}

/** Result of {@link repairUndecodable}. */
export interface RepairUndecodableResult {
  readonly applied: boolean;
  /** The batch. Null when the offset can be decoded or does not exist: then the sink needs no permission to continue. */
  readonly batch: FoundBatch | null;
}

/**
 * Finds the batch at an offset that cannot be decoded, and permits the sink to skip it. The sink then rejects each of its offsets, and the
 * first reject keeps the bytes.
 *
 * @throws OperationError `conflict` when the end of the batch is not known or the batch has landed; `unavailable` when Kafka does not answer
 */
export async function repairUndecodable(
  { lake, kafka }: Target,
  place: { readonly partition: number; readonly offset: number },
  { apply = false, signal, onProgress }: RepairUndecodableOptions,
): Promise<RepairUndecodableResult> {
  beginPhase(onProgress, 'read');
  const topic = lake.stream.topic.name;
  const batch = await readBatch(topic, kafka, place, signal);
  if (batch === undefined) return { applied: false, batch: null };
  if (apply) await permitSkip(lake, place.partition, batch, signal);
  const permission = await readSkipPermission(lake.store, topic, place.partition, batch.from, { signal });
  return {
    applied: apply,
    batch: describeBatch(topic, place.partition, batch, permission?.sha256 === batch.sha256 && permission.to === batch.to),
  };
}

async function permitSkip(
  { store, stream }: Lake,
  partition: number,
  { from, to, sha256, reason }: UndecodableBatch,
  signal: AbortSignal,
): Promise<void> {
  const topic = stream.topic.name;
  if (to === undefined) {
    throw new OperationError(
      'conflict',
      `The batch at offset ${from} of partition ${partition} does not say where it ends, so the sink cannot go past it. docs/operations.md says how to delete the records before an offset.`,
    );
  }
  const landed = (await new Ledger(store, { table: stream.table, topic, partition }).head({ signal }))?.to ?? 0;
  if (landed >= to)
    throw new OperationError(
      'conflict',
      `Offsets ${from} to ${to - 1} of partition ${partition} have landed: the sink needs no permission.`,
    );
  await writeSkipPermission(store, { v: 1, topic, partition, from, to, sha256, reason }, { signal });
}

async function readBatch(
  topic: string,
  kafka: KafkaAccess,
  { partition, offset }: { readonly partition: number; readonly offset: number },
  signal: AbortSignal,
): Promise<UndecodableBatch | undefined> {
  let found: UndecodableBatch | undefined;
  await readTopic({
    kafka,
    topic,
    ranges: new Map([[partition, [[offset, offset + 1]]]]),
    signal,
    silentMsMax: 10_000,
    onRecord: () => undefined,
    onUnread: () => undefined,
    onUndecodable: (_partition, batch) => (found = batch),
  });
  return found;
}

function describeBatch(
  topic: string,
  partition: number,
  { from, to, reason, bytes, sha256, header }: UndecodableBatch,
  permitted: boolean,
): FoundBatch {
  return {
    topic,
    partition,
    from,
    to: to ?? null,
    reason,
    bytes: bytes.byteLength,
    sha256,
    header:
      header === undefined
        ? null
        : {
            records: header.count,
            codec: codecNames[header.codec] ?? `unknown (${header.codec})`,
            producerId: String(header.producerId),
            maxTimestamp: String(header.maxTimestamp),
          },
    permitted,
  };
}

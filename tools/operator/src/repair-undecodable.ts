import { codecNames, type UndecodableBatch } from '@millrace/kafka';
import { Ledger, readSkipPermission, writeSkipPermission } from '@millrace/lake';
import { OperatorError } from './errors.ts';
import { counted, grouped } from './numbers.ts';
import type { Lake } from './open-lake.ts';
import type { OperatorContext } from './operator-context.ts';
import { readTopic } from './read-topic.ts';

/** Usage of the command. */
export const undecodableUsage = './millrace repair --undecodable --partition P --offset N [--apply] [--json] [--table T]';

/** A batch in the answer of `--json`. */
interface ShownBatch {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** The offset behind the batch; null where it is not known. */
  readonly to: number | null;
  readonly reason: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The header as the batch holds it; null without one. */
  readonly header: { readonly records: number; readonly codec: string; readonly producerId: string; readonly maxTimestamp: string } | null;
  /** Whether the sink may go past it. */
  readonly permitted: boolean;
}

/**
 * Shows a batch that cannot be decoded. With `--apply` the sink may go past it: each of its offsets becomes a reject, and the first one
 * keeps the bytes. Exit code 1 when the batch can be decoded.
 */
export async function repairUndecodable(
  lake: Lake,
  place: { readonly partition: number; readonly offset: number },
  { apply, json }: { readonly apply: boolean; readonly json: boolean },
  context: OperatorContext,
): Promise<number> {
  const { out, progress, signal } = context;
  const topic = lake.stream.topic.name;
  const batch = await progress.step('Read the batch', async () => await readBatch(lake, place, context));
  if (batch === undefined) {
    if (json) out.line(JSON.stringify({ applied: false, batch: null }));
    else
      out.line(
        `Offset ${grouped(place.offset)} of partition ${place.partition} of ${topic} can be decoded, or is not there: the sink needs no help.`,
      );
    return 1;
  }
  const { from, to, sha256 } = batch;
  if (apply) {
    if (to === undefined)
      throw new OperatorError(
        `The batch at offset ${from} of partition ${place.partition} does not say where it ends, so the sink cannot go past it. docs/operations.md says how to delete the records before an offset.`,
      );
    const landed =
      (await new Ledger(lake.store, { table: lake.stream.table, topic, partition: place.partition }).head({ signal }))?.to ?? 0;
    if (landed >= to)
      throw new OperatorError(`Offsets ${from} to ${to - 1} of partition ${place.partition} have landed: the sink needs no permission.`);
    await writeSkipPermission(lake.store, { v: 1, topic, partition: place.partition, from, to, sha256, reason: batch.reason }, { signal });
  }
  const permission = await readSkipPermission(lake.store, topic, place.partition, from, { signal });
  const shown = shownBatch(topic, place.partition, batch, permission?.sha256 === sha256 && permission.to === to);
  if (json) out.line(JSON.stringify({ applied: apply, batch: shown }));
  else for (const line of batchText(shown, apply)) out.line(line);
  return 0;
}

async function readBatch(
  { stream }: Lake,
  { partition, offset }: { readonly partition: number; readonly offset: number },
  { env, signal }: OperatorContext,
): Promise<UndecodableBatch | undefined> {
  let found: UndecodableBatch | undefined;
  await readTopic({
    env,
    topic: stream.topic.name,
    ranges: new Map([[partition, [[offset, offset + 1]]]]),
    signal,
    silentMsMax: 10_000,
    onRecord: () => undefined,
    onUnread: () => undefined,
    onUndecodable: (_partition, batch) => (found = batch),
  });
  return found;
}

function shownBatch(
  topic: string,
  partition: number,
  { from, to, reason, bytes, sha256, header }: UndecodableBatch,
  permitted: boolean,
): ShownBatch {
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

function batchText({ topic, partition, from, to, reason, bytes, sha256, header, permitted }: ShownBatch, apply: boolean): string[] {
  const offsets = to === null ? `from ${grouped(from)}, its end is not known` : `${grouped(from)} to ${grouped(to - 1)}`;
  return [
    `  batch        ${topic}, partition ${partition}, offsets ${offsets}`,
    `  reason       ${reason}`,
    `  size         ${counted(bytes, 'byte')}, sha256 ${sha256}`,
    ...(header === null
      ? []
      : [
          `  header says  ${counted(header.records, 'record')}, compression ${header.codec}, producer id ${header.producerId}, newest timestamp ${header.maxTimestamp}`,
        ]),
    '',
    permitted
      ? `The sink may go past the batch: each of its offsets becomes a reject, and ./millrace rejects show ${partition}/${from} --json has its bytes.${apply ? ' It does so within seconds.' : ''}`
      : `The sink waits before the batch.${to === null ? ' docs/operations.md says how to go on.' : ' Nothing was done: --apply makes a reject of each of its offsets and keeps its bytes.'}`,
  ];
}

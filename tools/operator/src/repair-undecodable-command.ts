import { counted, grouped, repairUndecodable, type FoundBatch, type Target } from '@millrace/operations';
import type { OperatorContext } from './operator-context.ts';
import { showProgress } from './show-progress.ts';

/** Usage of the command. */
export const undecodableUsage = './millrace repair --undecodable --partition P --offset N [--apply] [--json] [--table T]';

/** Shows the batch that cannot be decoded. With `--apply` the sink may skip it. Exit code 1 when the offset can be decoded. */
export async function repairUndecodableCommand(
  target: Target,
  place: { readonly partition: number; readonly offset: number },
  { apply, json }: { readonly apply: boolean; readonly json: boolean },
  { out, progress, signal }: OperatorContext,
): Promise<number> {
  const result = await showProgress(
    progress,
    { read: 'Read the batch' },
    async (onProgress) => await repairUndecodable(target, place, { apply, signal, onProgress }),
  );
  const { batch } = result;
  if (json) out.line(JSON.stringify(result));
  else if (batch !== null) for (const line of batchText(batch, apply)) out.line(line);
  else {
    out.line(
      `Offset ${grouped(place.offset)} of partition ${place.partition} of ${target.lake.stream.topic.name} can be decoded, or is not there: the sink needs no help.`,
    );
  }
  return batch === null ? 1 : 0;
}

function batchText({ topic, partition, from, to, reason, bytes, sha256, header, permitted }: FoundBatch, apply: boolean): string[] {
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

import { counted, grouped, type EventPlace, type EventTrace, type TracedBatch, type TracedRow } from '@millrace/operations';
import type { OperatorScreen } from './operator-context.ts';

/** Formats a trace for a person. */
export function traceText(trace: EventTrace, bucket: string, out: Pick<OperatorScreen, 'bold'>, deep: boolean): string[] {
  const lines = [out.bold(`Event ${trace.eventId} ${verdictOf(trace, deep)}`)];
  for (const row of trace.rows)
    lines.push(
      '',
      `  row        ${placeText(row)}`,
      ...batchText(row.batch),
      `  file       s3://${bucket}/${row.file}`,
      `  partition  dt=${row.dt}`,
      ...icebergText(row, bucket),
    );
  for (const one of trace.waiting)
    lines.push(
      '',
      `  waits      ${placeText(one)}`,
      `             ${one.behind === 0 ? 'it lands next' : `${counted(one.behind, 'event')} of its partition ${one.behind === 1 ? 'lands' : 'land'} before it`}`,
    );
  for (const one of trace.rejects)
    lines.push(
      '',
      `  rejected   ${placeText(one)}`,
      `  reason     ${one.reason}`,
      ...batchText(one.batch),
      `  file       s3://${bucket}/${one.file}`,
    );
  for (const one of trace.duplicates) lines.push('', `  dropped    ${placeText(one)}: the event is a row already`, ...batchText(one.batch));
  for (const one of trace.lost)
    lines.push(
      '',
      `  lost       ${placeText(one)}: it is in the topic, and the table has no row of it`,
      ...batchText(one.batch),
      '             ./millrace audit names the missing file',
    );
  if (trace.unseen.length > 0) lines.push('', 'Not searched:', ...trace.unseen.map((what) => `  - ${what}`));
  return lines;
}

function verdictOf({ status, rows, rejects }: EventTrace, deep: boolean): string {
  switch (status) {
    case 'landed':
      return rows.length === 1 ? 'is a row of the table.' : `is ${rows.length} rows of the table.`;
    case 'waiting':
      return `is in the topic and has not landed yet.${rejects.length > 0 ? ' It was rejected before.' : ''}`;
    case 'rejected':
      return 'was rejected: ./millrace rejects show prints it.';
    case 'lost':
      return 'was lost to the table.';
    case 'unknown':
      return 'was not found: it is no row and no reject. A part of the topic was not searched, and the event may be there.';
    case 'not-found':
      return `was not found: it is no row, no reject, and ${deep ? 'not in the topic' : 'not in the part of the topic that has not landed. --deep reads the whole topic'}.`;
  }
}

function icebergText({ file, icebergFile }: TracedRow, bucket: string): string[] {
  if (icebergFile === null) return [];
  return [`  iceberg    ${icebergFile === file ? 'the same file' : `s3://${bucket}/${icebergFile}`}`];
}

function placeText({ topic, partition, offset }: EventPlace): string {
  return `${topic}, partition ${partition}, offset ${grouped(offset)}`;
}

function batchText(batch: TracedBatch | null): string[] {
  return batch === null
    ? ['  batch      none: no entry of the ledger holds it']
    : [
        `  batch      entry ${grouped(batch.entry)} of the partition, offsets [${grouped(batch.from)}, ${grouped(batch.to)}), id ${batch.id}`,
      ];
}

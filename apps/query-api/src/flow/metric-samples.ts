import type { FlowProcess } from '@millrace/contracts';

/** The metrics that a picture of the flow needs. A process has hundreds of others. */
const flowMetrics: ReadonlySet<string> = new Set([
  'millrace_purchase_events_published_total',
  'millrace_purchase_kafka_up',
  'millrace_purchase_outbox_bytes',
  'millrace_purchase_outbox_bytes_max',
  'millrace_purchase_outbox_events',
  'millrace_purchase_outbox_full_seconds',
  'millrace_purchase_queue_events',
  'millrace_sink_lag_records',
  'millrace_sink_lanes',
  'millrace_sink_records_total',
  'millrace_sink_rows_landed_total',
  'millrace_sink_spool_batches',
  'millrace_sink_spool_bytes',
  'millrace_sink_spool_bytes_max',
  'millrace_sink_spool_full_in_seconds',
  'millrace_sink_spool_oldest_age_seconds',
  'millrace_sink_stalled_seconds',
  'millrace_projector_lag_seconds',
  'millrace_query_finished_total',
  'millrace_query_running_queries',
]);

type Sample = FlowProcess['samples'][number];

/** The samples of the flow in a text of Prometheus. Values that are not finite are left out: the time until a disk is full may be. */
export function flowSamples(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z_]+)(?:\{(.*)\})? ([^ ]+)$/.exec(line);
    const value = Number(match?.[3]);
    if (match === null || !flowMetrics.has(match[1]!) || !Number.isFinite(value)) return [];
    const labels = [...(match[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map((label) => [label[1]!, label[2]!] as const);
    return [{ name: match[1]!, labels: Object.fromEntries(labels), value }];
  });
}

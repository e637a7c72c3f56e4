import type { Flow } from '@millrace/contracts';
import { mostOf, sumOf } from './samples.ts';

/** A store on the disk of a process, by the metrics of its fill. */
export interface DiskStore {
  readonly title: string;
  /** Bytes in use. */
  readonly used: string;
  /** Bytes that it may use. */
  readonly limit: string;
  /** Seconds until it is full at the present rate. */
  readonly full: string;
  /** Remedy when it fills. */
  readonly remedy: string;
}

/** Holds purchases while Kafka is down. */
export const outbox: DiskStore = {
  title: 'Outbox of the purchase API',
  used: 'millrace_purchase_outbox_bytes',
  limit: 'millrace_purchase_outbox_bytes_max',
  full: 'millrace_purchase_outbox_full_seconds',
  remedy: 'Bring Kafka back. Purchases are refused when the outbox is full.',
};

/** Holds batches while S3 is down. */
export const spool: DiskStore = {
  title: 'Spool of the sink',
  used: 'millrace_sink_spool_bytes',
  limit: 'millrace_sink_spool_bytes_max',
  full: 'millrace_sink_spool_full_in_seconds',
  remedy: 'Bring S3 back. Kafka holds the events when the spool is full.',
};

/** How full a store is. Each part is undefined while it is not known. */
export interface Fill {
  readonly bytes: number | undefined;
  readonly bytesMax: number | undefined;
  readonly share: number | undefined;
  readonly fullInSeconds: number | undefined;
}

/** Reads the fill of a store: the sum over its processes, and the largest time until one is full. */
export function fillOf(flow: Flow, { used, limit, full }: DiskStore): Fill {
  const [bytes, bytesMax] = [sumOf(flow, used), sumOf(flow, limit)];
  const share = bytes === undefined || bytesMax === undefined || bytesMax === 0 ? undefined : bytes / bytesMax;
  return { bytes, bytesMax, share, fullInSeconds: mostOf(flow, full) };
}

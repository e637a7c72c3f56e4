import { headerNames } from '@millrace/contracts';
import { entryKey, type LaneId, type LedgerEntry } from '@millrace/lake';
import { below, endFailed, spanContextOf, type Tracing } from '@millrace/runtime';
import { type Attributes, type Span, type SpanContext, SpanKind, TraceFlags } from '@opentelemetry/api';
import type { LogRecord } from '../kafka/log.ts';
import type { BatchFiles } from '../spool/spool.ts';

/** Spans that the span of one batch is linked to at most: the SDK's own limit. */
const linksMax = 128;

/** A batch that is sealed, encoded or not. */
export interface TracedBatch {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly takenAt: number;
  readonly files: BatchFiles;
}

/** The spans of the sampled records of a batch, and the span of the batch while one is open. */
interface Trace {
  readonly links: Map<string, SpanContext>;
  records: number;
  span?: Span;
}

/**
 * The spans of the batches of one lane. The trace id of a batch is its id without hyphens, so its ledger entry names its trace. A
 * successor of a dead sink adds to the same trace. The span of a batch is linked to the spans that sent its sampled records.
 */
export class BatchTraces {
  readonly #tracing: Tracing;
  readonly #lane: LaneId;
  readonly #group: string;
  // A batch may be dropped at any moment, and its trace is dropped with its files.
  readonly #traces = new WeakMap<BatchFiles, Trace>();

  /** @param group consumer group of the sink */
  constructor(tracing: Tracing, lane: LaneId, group: string) {
    this.#tracing = tracing;
    this.#lane = lane;
    this.#group = group;
  }

  /** Notes the records that were appended to an open batch. */
  onTaken(files: BatchFiles, records: readonly LogRecord[]): void {
    const trace = this.#traceOf(files);
    trace.records += records.length;
    for (const record of records) {
      if (trace.links.size >= linksMax) return;
      const sender = senderOf(record);
      if (sender !== undefined) trace.links.set(sender.spanId, sender);
    }
  }

  /** Runs one step of a batch in a child span of the batch's span. */
  async step<T>(batch: TracedBatch, name: string, run: () => Promise<T>): Promise<T> {
    const span = this.#tracing.startSpan(`${name} batch`, {}, below(this.#spanOf(batch)));
    try {
      const result = await run();
      span.end();
      return result;
    } catch (error) {
      endFailed(span, error);
      throw error;
    }
  }

  /** Notes a step that takes no time. */
  note(batch: TracedBatch, name: string): void {
    this.#spanOf(batch).addEvent(name);
  }

  /** Ends the span of a batch. */
  end(batch: TracedBatch, { files }: Pick<LedgerEntry, 'files'>, outcome: string): void {
    const span = this.#spanOf(batch);
    span.setAttributes({ 'millrace.batch.rows': files.reduce((sum, { rows }) => sum + rows, 0), 'millrace.batch.outcome': outcome });
    span.end();
    delete this.#traceOf(batch.files).span;
  }

  /** Ends the span of a batch that this life of the lane does not land. A later life begins another one in the same trace. */
  fail(batch: TracedBatch, error: unknown): void {
    endFailed(this.#spanOf(batch), error);
    delete this.#traceOf(batch.files).span;
  }

  #traceOf(files: BatchFiles): Trace {
    let trace = this.#traces.get(files);
    if (trace === undefined) {
      trace = { links: new Map(), records: 0 };
      this.#traces.set(files, trace);
    }
    return trace;
  }

  #spanOf(batch: TracedBatch): Span {
    const trace = this.#traceOf(batch.files);
    if (trace.span !== undefined) return trace.span;
    const { topic, partition } = this.#lane;
    const attributes: Attributes = {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.consumer.group.name': this.#group,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      // Unknown for a batch that another process took from Kafka.
      ...(trace.records === 0 ? {} : { 'messaging.batch.message_count': trace.records }),
      'millrace.batch.id': batch.id,
      'millrace.batch.offset.from': batch.from,
      'millrace.batch.offset.to': batch.to,
      'millrace.ledger.key': entryKey(this.#lane, batch.from),
    };
    trace.span = this.#tracing.startRoot(batch.id.replaceAll('-', ''), `process ${topic}`, {
      kind: SpanKind.CONSUMER,
      startTime: batch.takenAt,
      links: [...trace.links.values()].map((context) => ({ context })),
      attributes,
    });
    return trace.span;
  }
}

/** The sampled span that sent a record. */
function senderOf({ headers }: LogRecord): SpanContext | undefined {
  const value = headers.find(({ name }) => name === headerNames.traceparent)?.value;
  // Longer values are not of version 00; a producer of another team may send anything.
  if (value === undefined || value === null || value.length > 256) return undefined;
  const context = spanContextOf(value.toString('latin1'));
  return context !== undefined && (context.traceFlags & TraceFlags.SAMPLED) !== 0 ? context : undefined;
}

import type { Context, Span, SpanOptions } from '@opentelemetry/api';
import type { IncomingHttpHeaders } from 'node:http';

/** Injection token of the {@link Tracing} of the process; undefined while tracing is off. */
export const TRACING = Symbol('TRACING');

/**
 * Starts spans. Contexts are passed on by hand: there is no hook on asynchronous calls. An unsampled span has ids, and records nothing.
 */
export interface Tracing {
  /** Starts a span. @param parent Default: the span is the root of a new trace. */
  startSpan(name: string, options: SpanOptions, parent?: Context): Span;
  /**
   * Starts the root span of a trace whose id is known. Several processes may add to such a trace, and its id can be derived again. With a
   * sampler that follows the parent's decision, the span is sampled when a linked span is.
   *
   * @param traceId 32 hexadecimal digits, not all 0
   */
  startRoot(traceId: string, name: string, options: SpanOptions): Span;
  /** The context of the caller of a request: `traceparent` and `tracestate`. */
  contextOf(headers: IncomingHttpHeaders): Context;
  /** Exports the ended spans, within a time in milliseconds. Spans that end afterwards are lost. Never rejects. */
  close(msMax: number): Promise<void>;
}

import { type Context, ROOT_CONTEXT, type Span, type SpanContext, SpanStatusCode, trace } from '@opentelemetry/api';

const shape = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Reads a W3C `traceparent`; undefined when it is invalid. */
export function spanContextOf(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = shape.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

/** The context below which spans of a W3C `traceparent` begin. Without a valid one, they begin new traces. */
export function parentOf(traceparent: string | undefined): Context {
  const found = traceparent === undefined ? undefined : spanContextOf(traceparent);
  return found === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, found);
}

/** The context below which children of a span begin. */
export function below(span: Span): Context {
  return trace.setSpan(ROOT_CONTEXT, span);
}

/** The W3C `traceparent` of a span. */
export function traceparentOfSpan(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** Ends a span whose work failed: `error.type` is the code or the class of the error. */
export function endFailed(span: Span, error: unknown): void {
  const code = error instanceof Error ? ('code' in error && typeof error.code === 'string' ? error.code : error.name) : '_OTHER';
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(error instanceof Error ? { message: error.message } : {}) });
  span.end();
}

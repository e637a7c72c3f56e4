import { TraceFlags } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';
import { sdkTracing } from './sdk-tracing.ts';
import { below, endFailed, parentOf, spanContextOf, traceparentOfSpan } from './trace-context.ts';
import type { Tracing } from './tracing.ts';
import { type SamplerName, tracingSettingsOf } from './tracing-settings.ts';

const traceId = 'a'.repeat(32);
const sampledParent = `00-${traceId}-${'b'.repeat(16)}-01`;
const unsampledParent = `00-${traceId}-${'b'.repeat(16)}-00`;

/** Tracing whose spans are kept in memory; `close` returns them. */
function tracingIn(sampler: SamplerName, ratio = 1): { readonly tracing: Tracing; readonly close: () => Promise<readonly ReadableSpan[]> } {
  const kept: ReadableSpan[] = [];
  const exporter = new InMemorySpanExporter();
  const settings = tracingSettingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector' }, () => undefined)!;
  const tracing = sdkTracing(
    'shop',
    { ...settings, sampler, samplerRatio: ratio },
    {
      export: (spans, done) => {
        kept.push(...spans);
        exporter.export(spans, done);
      },
      shutdown: async () => await exporter.shutdown(),
      forceFlush: async () => await exporter.forceFlush(),
    },
    () => undefined,
  );
  return {
    tracing,
    async close() {
      await tracing.close(10_000);
      return kept;
    },
  };
}

it('a span continues the trace of its caller, and the header of its children names it', async () => {
  const { tracing, close } = tracingIn('parentbased_always_on');
  const span = tracing.startSpan('work', {}, tracing.contextOf({ traceparent: sampledParent, tracestate: 'shop=1' }));
  const child = tracing.startSpan('part', {}, parentOf(traceparentOfSpan(span)));
  const near = tracing.startSpan('near part', {}, below(span));
  expect(traceparentOfSpan(child)).toBe(`00-${traceId}-${child.spanContext().spanId}-01`);
  for (const one of [near, child, span]) one.end();
  const spans = await close();
  expect(spans.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual([
    ['near part', span.spanContext().spanId],
    ['part', span.spanContext().spanId],
    ['work', 'b'.repeat(16)],
  ]);
  expect(span.spanContext().traceState?.serialize()).toBe('shop=1');
  expect(spans[0]!.resource.attributes).toMatchObject({ 'service.name': 'shop', 'service.namespace': 'millrace' });
});

it.each<[SamplerName, number, string | undefined, boolean]>([
  ['parentbased_always_on', 1, undefined, true],
  ['parentbased_always_on', 1, unsampledParent, false],
  ['parentbased_always_off', 1, undefined, false],
  ['parentbased_always_off', 1, sampledParent, true],
  ['parentbased_traceidratio', 0, undefined, false],
  ['parentbased_traceidratio', 1, undefined, true],
  ['always_on', 1, unsampledParent, true],
  ['always_off', 1, sampledParent, false],
  ['traceidratio', 0, sampledParent, false],
])('the sampler %s with the argument %d decides on a span below %s: %s', async (sampler, ratio, parent, isSampled) => {
  const { tracing, close } = tracingIn(sampler, ratio);
  const span = tracing.startSpan('work', {}, parentOf(parent));
  expect([span.isRecording(), span.spanContext().traceFlags]).toEqual([isSampled, isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE]);
  span.end();
  expect(await close()).toHaveLength(isSampled ? 1 : 0);
});

it.each<[SamplerName, string, boolean]>([
  ['parentbased_always_off', sampledParent, true],
  ['parentbased_always_off', unsampledParent, false],
  ['always_off', sampledParent, false],
])('a root span under the sampler %s with a link to %s is sampled: %s', async (sampler, linked, isSampled) => {
  const { tracing, close } = tracingIn(sampler);
  const chosen = 'c'.repeat(32);
  const span = tracing.startRoot(chosen, 'batch', { links: [{ context: spanContextOf(linked)! }] });
  expect([span.isRecording(), span.spanContext().traceId]).toEqual([isSampled, chosen]);
  expect(tracing.startSpan('another', {}).spanContext().traceId).not.toBe(chosen);
  await close();
});

it('a failed span has the code of its error', async () => {
  const { tracing, close } = tracingIn('always_on');
  endFailed(tracing.startSpan('one', {}), Object.assign(new Error('no room'), { code: 'overloaded' }));
  endFailed(tracing.startSpan('two', {}), new TypeError('wrong'));
  const spans = await close();
  expect(spans.map(({ attributes, status }) => [attributes['error.type'], status.message])).toEqual([
    ['overloaded', 'no room'],
    ['TypeError', 'wrong'],
  ]);
});

it.each(['', '00-0-0-01', `ff-${traceId}-${'b'.repeat(16)}-01`, `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`])(
  'the invalid trace context "%s" begins a new trace',
  (text) => {
    const { tracing } = tracingIn('always_on');
    expect(spanContextOf(text)).toBeUndefined();
    expect(tracing.startSpan('work', {}, parentOf(text)).spanContext().traceId).toMatch(/^[0-9a-f]{32}$/);
  },
);

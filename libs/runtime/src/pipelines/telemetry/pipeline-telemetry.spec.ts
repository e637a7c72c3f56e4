import { type Attributes, createNoopMeter, type Meter, type MetricOptions, type ObservableCallback } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../metrics/metrics.ts';
import { PipelineRegistry } from '../pipeline-registry.ts';
import { breakerFigures, FedPipeline } from '../testing/fed-pipeline.ts';
import { openTelemetryInstruments } from './open-telemetry-instruments.ts';
import { measurePipelines } from './pipeline-telemetry.ts';
import { prometheusInstruments } from './prometheus-instruments.ts';

function fedRegistry(): { registry: PipelineRegistry; s3: FedPipeline } {
  const registry = new PipelineRegistry();
  const s3 = new FedPipeline(
    's3',
    {},
    {
      inFlight: 4,
      zombies: 1,
      breaker: breakerFigures('open'),
      bulkhead: { concurrencyMax: 25, queueMax: 5, queued: 2 },
      retryBudget: { available: 7.5, ratio: 0.2, perSecondMin: 10 },
      shed: { level: 2, load: 0.6 },
    },
  );
  registry.register(s3.pipeline);
  return { registry, s3 };
}

const call = { type: 'CallFinished', result: 'succeeded', durationMs: 20, attempts: 1 } as const;
const attempt = { type: 'AttemptFinished', attempt: 0, result: 'timed-out', durationMs: 20, slow: true } as const;

/** Value of the only series with this name and these labels, in any order. */
function valueOf(text: string, name: string, ...labels: string[]): number {
  const found = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && ['service="sink"', ...labels].every((label) => line.includes(label)));
  expect(found).toHaveLength(1);
  return Number(found[0]!.split(' ').at(-1));
}

/** A meter that records its measurements, because the OpenTelemetry API alone records nothing. */
function recordingMeter(): {
  meter: Meter;
  written: [string, number, Attributes | undefined][];
  histograms: Map<string, MetricOptions | undefined>;
  read: () => [string, number, Attributes | undefined][];
} {
  const written: [string, number, Attributes | undefined][] = [];
  const callbacks: [string, ObservableCallback][] = [];
  const histograms = new Map<string, MetricOptions | undefined>();
  const write = (name: string) => (value: number, attributes?: Attributes) => void written.push([name, value, attributes]);
  const meter = {
    ...createNoopMeter(),
    createHistogram: (name: string, options?: MetricOptions) => {
      histograms.set(name, options);
      return { record: write(name) };
    },
    createCounter: (name: string) => ({ add: write(name) }),
    createObservableGauge: (name: string) => ({ addCallback: (callback: ObservableCallback) => void callbacks.push([name, callback]) }),
  } as unknown as Meter;
  return {
    meter,
    written,
    histograms,
    read: () => {
      const seen: [string, number, Attributes | undefined][] = [];
      for (const [name, callback] of callbacks)
        void callback({ observe: (value: number, attributes?: Attributes) => void seen.push([name, value, attributes]) });
      return seen;
    },
  };
}

describe('the Prometheus metrics of pipelines', () => {
  it('the counters count events with labels of few values', async () => {
    const { registry, s3 } = fedRegistry();
    const metrics = new Metrics('sink');
    measurePipelines(registry, [prometheusInstruments(metrics)]);
    s3.feed(
      call,
      attempt,
      { type: 'CallRejected', code: 'circuit-open' },
      { type: 'FallbackFailed', kind: 'cache', error: new Error('x') },
      { type: 'FallbackUsed', kind: 'stub', error: new Error('x') },
    );
    const text = await metrics.text();
    expect(valueOf(text, 'millrace_pipeline_duration_seconds_sum', 'pipeline="s3"', 'outcome="succeeded"')).toBe(0.02);
    expect(valueOf(text, 'millrace_pipeline_attempts_total', 'pipeline="s3"', 'result="timed-out"')).toBe(1);
    expect(valueOf(text, 'millrace_pipeline_rejections_total', 'pipeline="s3"', 'reason="circuit-open"')).toBe(1);
    expect(valueOf(text, 'millrace_pipeline_fallbacks_total', 'pipeline="s3"', 'kind="cache"', 'outcome="failed"')).toBe(1);
    expect(valueOf(text, 'millrace_pipeline_fallbacks_total', 'pipeline="s3"', 'kind="stub"', 'outcome="used"')).toBe(1);
  });

  it('the gauges read the current snapshots at each scrape', async () => {
    const { registry, s3 } = fedRegistry();
    const metrics = new Metrics('sink');
    measurePipelines(registry, [prometheusInstruments(metrics)]);
    const text = await metrics.text();
    expect(valueOf(text, 'millrace_pipeline_circuit_state', 'pipeline="s3"', 'state="open"')).toBe(1);
    expect(valueOf(text, 'millrace_pipeline_circuit_state', 'pipeline="s3"', 'state="closed"')).toBe(0);
    expect(valueOf(text, 'millrace_pipeline_in_flight', 'pipeline="s3"')).toBe(4);
    expect(valueOf(text, 'millrace_pipeline_queued', 'pipeline="s3"')).toBe(2);
    expect(valueOf(text, 'millrace_pipeline_zombies', 'pipeline="s3"')).toBe(1);
    expect(valueOf(text, 'millrace_pipeline_retry_budget_tokens', 'pipeline="s3"')).toBe(7.5);
    expect(valueOf(text, 'millrace_shed_level')).toBe(2);
    s3.figures = { ...s3.figures, breaker: breakerFigures('closed', { mode: 'forced-open' }) };
    expect(valueOf(await metrics.text(), 'millrace_pipeline_circuit_state', 'pipeline="s3"', 'state="forced-open"')).toBe(1);
  });

  it('a pipeline without circuit, queue and budget has no such gauges, and the shed level is 0', async () => {
    const registry = new PipelineRegistry();
    registry.register(new FedPipeline('bare').pipeline);
    const metrics = new Metrics('sink');
    measurePipelines(registry, [prometheusInstruments(metrics)]);
    const text = await metrics.text();
    expect(text).not.toMatch(/circuit_state\{|queued\{|budget_tokens\{/);
    expect(valueOf(text, 'millrace_shed_level')).toBe(0);
  });
});

describe('the OpenTelemetry metrics of pipelines', () => {
  it('the OpenTelemetry metrics have the same values', () => {
    const { registry, s3 } = fedRegistry();
    const { meter, written, read } = recordingMeter();
    measurePipelines(registry, [openTelemetryInstruments(meter)]);
    s3.feed(call, attempt, { type: 'CallRejected', code: 'shed' }, { type: 'FallbackUsed', kind: 'silent', error: new Error('x') });
    expect(written).toEqual([
      ['millrace.pipeline.duration', 0.02, { 'pipeline.name': 's3', outcome: 'succeeded' }],
      ['millrace.pipeline.attempts', 1, { 'pipeline.name': 's3', result: 'timed-out' }],
      ['millrace.pipeline.rejections', 1, { 'pipeline.name': 's3', reason: 'shed' }],
      ['millrace.pipeline.fallbacks', 1, { 'pipeline.name': 's3', kind: 'silent', outcome: 'used' }],
    ]);
    const seen = read();
    expect(seen).toContainEqual(['millrace.pipeline.in_flight', 4, { 'pipeline.name': 's3' }]);
    expect(seen).toContainEqual(['millrace.pipeline.queued', 2, { 'pipeline.name': 's3' }]);
    expect(seen).toContainEqual(['millrace.pipeline.zombies', 1, { 'pipeline.name': 's3' }]);
    expect(seen).toContainEqual(['millrace.pipeline.retry_budget', 7.5, { 'pipeline.name': 's3' }]);
    expect(seen).toContainEqual(['millrace.pipeline.circuit.state', 1, { 'pipeline.name': 's3', state: 'open' }]);
    expect(seen).toContainEqual(['millrace.shed.level', 2, undefined]);
  });

  it('the OpenTelemetry histogram has the buckets of the Prometheus one', async () => {
    const { registry, s3 } = fedRegistry();
    const { meter, histograms } = recordingMeter();
    const metrics = new Metrics('sink');
    measurePipelines(registry, [openTelemetryInstruments(meter), prometheusInstruments(metrics)]);
    s3.feed(call);
    const bounds = [...(await metrics.text()).matchAll(/^millrace_pipeline_duration_seconds_bucket\{.*le="([0-9.]+)"/gm)].map(([, bound]) =>
      Number(bound),
    );
    expect(bounds.length).toBeGreaterThan(10);
    expect(histograms.get('millrace.pipeline.duration')).toMatchObject({ unit: 's', advice: { explicitBucketBoundaries: bounds } });
  });
});

import { ROOT_CONTEXT, defaultTextMapGetter } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LinkedSampler } from './linked-sampler.ts';
import type { Tracing } from './tracing.ts';
import type { SamplerName, TracingSettings } from './tracing-settings.ts';

/** Makes random ids, except that the next trace gets a chosen id. */
class ChosenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  /** Id of the next trace. */
  next: string | undefined;

  generateTraceId(): string {
    return this.next ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}

/**
 * Tracing by the SDK of OpenTelemetry.
 *
 * @param service name of the service, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` name it
 * @param onFailure called with the error of the last export when the tracing is closed
 */
export function sdkTracing(
  service: string,
  settings: Omit<TracingSettings, 'url' | 'protocol'>,
  exporter: SpanExporter,
  onFailure: (error: unknown) => void,
): Tracing {
  const ids = new ChosenIds();
  const provider = new TracerProvider({
    idGenerator: ids,
    sampler: samplerOf(settings.sampler, settings.samplerRatio),
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service, 'service.namespace': 'millrace', 'service.instance.id': randomUUID() }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: settings.queueSpansMax,
        maxExportBatchSize: settings.exportSpansMax,
        scheduledDelayMillis: settings.exportDelayMs,
        exportTimeoutMillis: settings.exportMsMax,
      }),
    ],
  });
  const tracer = provider.getTracer('millrace');
  const propagator = new W3CTraceContextPropagator();
  return {
    startSpan: (name, options, parent = ROOT_CONTEXT) => tracer.startSpan(name, options, parent),
    startRoot: (traceId, name, options) => {
      // The SDK asks for the id before it returns.
      ids.next = traceId;
      try {
        return tracer.startSpan(name, options, ROOT_CONTEXT);
      } finally {
        ids.next = undefined;
      }
    },
    contextOf: (headers) => propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter),
    close: async (msMax) => {
      const timer = new AbortController();
      const flushed = provider.shutdown().catch(onFailure);
      await Promise.race([flushed, delay(msMax, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    },
  };
}

function samplerOf(name: SamplerName, ratio: number): Sampler {
  const root = rootSamplerOf(name, ratio);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root: new LinkedSampler(root) }) : root;
}

function rootSamplerOf(name: SamplerName, ratio: number): Sampler {
  if (name.endsWith('always_on')) return new AlwaysOnSampler();
  return name.endsWith('always_off') ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}

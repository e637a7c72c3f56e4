import { diag, DiagLogLevel } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { sdkTracing } from './sdk-tracing.ts';
import type { Tracing } from './tracing.ts';
import type { TracingProtocol, TracingSettings } from './tracing-settings.ts';

/** Shortest time between two warnings, in milliseconds. */
const warnEveryMs = 60_000;

/** Tracing with an OTLP exporter over HTTP. A collector that does not answer costs spans and one warning a minute. */
export async function openOtlpTracing(service: string, settings: TracingSettings, logger: Logger): Promise<Tracing> {
  const warn = sparseWarnings(logger, () => performance.now());
  setGlobalErrorHandler((error) => warn(error, 'Spans could not be exported; they are lost.'));
  diag.setLogger(
    {
      error: (message) => warn(undefined, `OpenTelemetry: ${message}`),
      warn: (message) => warn(undefined, `OpenTelemetry: ${message}`),
      info: ignoreMessage,
      debug: ignoreMessage,
      verbose: ignoreMessage,
    },
    DiagLogLevel.WARN,
  );
  const exporter = await exporterOf(settings.protocol, settings.url);
  return sdkTracing(service, settings, exporter, (error) => warn(error, 'The last spans could not be exported; they are lost.'));
}

function ignoreMessage(): void {
  // Warnings and errors are enough.
}

async function exporterOf(protocol: TracingProtocol, url: string): Promise<SpanExporter> {
  if (protocol === 'http/json') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    return new OTLPTraceExporter({ url });
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url });
}

/**
 * Logs at most one warning a minute, with the number of warnings omitted since the last one.
 *
 * @param now monotonic clock in milliseconds
 */
export function sparseWarnings(logger: Pick<Logger, 'warn'>, now: () => number): (error: unknown, sentence: string) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return (error, sentence) => {
    if (now() - lastMs < warnEveryMs) {
      leftOut += 1;
      return;
    }
    logger.warn({ leftOut, ...(error === undefined ? {} : { err: error }) }, sentence);
    lastMs = now();
    leftOut = 0;
  };
}

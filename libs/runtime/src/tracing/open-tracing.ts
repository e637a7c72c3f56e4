import type { Logger } from 'pino';
import type { Tracing } from './tracing.ts';
import { tracingSettingsOf } from './tracing-settings.ts';

/**
 * Opens the tracing of the process by the standard variables of OpenTelemetry. The SDK is loaded only when tracing is on.
 *
 * @param service name of the service in its spans, unless `OTEL_SERVICE_NAME` names it
 * @returns undefined while tracing is off
 * @throws ConfigError when the exporter cannot work with the variables
 */
export async function openTracing(
  service: string,
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): Promise<Tracing | undefined> {
  const settings = tracingSettingsOf(env, (sentence) => logger.warn(sentence));
  if (settings === undefined) return undefined;
  const { openOtlpTracing } = await import('./otlp-tracing.ts');
  const tracing = await openOtlpTracing(service, settings, logger);
  logger.info({ url: new URL(settings.url).origin, sampler: settings.sampler }, 'Spans are exported by OTLP.');
  return tracing;
}

import { ConfigError } from '../errors.ts';

/** Encodings of the export. The OTLP protocol `grpc` is not supported. */
export type TracingProtocol = 'http/protobuf' | 'http/json';

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** Names of samplers of the OpenTelemetry specification. */
export type SamplerName = (typeof samplers)[number];

/** How spans are sampled, queued and exported. */
export interface TracingSettings {
  /** URL that takes the spans. */
  readonly url: string;
  readonly protocol: TracingProtocol;
  readonly sampler: SamplerName;
  /** Part of the traces that a ratio sampler keeps, 0–1. */
  readonly samplerRatio: number;
  /** Ended spans that wait for export; further ones are dropped. */
  readonly queueSpansMax: number;
  /** Spans in one export. */
  readonly exportSpansMax: number;
  /** Longest wait of an ended span before its export, in milliseconds. */
  readonly exportDelayMs: number;
  /** Longest export, in milliseconds. */
  readonly exportMsMax: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the standard variables of OpenTelemetry that concern traces. Undefined: tracing is off, because no endpoint is named, or a variable
 * turns it off. The exporter itself reads those of headers, timeouts, compression and certificates.
 *
 * @param onIgnored called with a sentence for each value that is ignored, as the specification asks
 * @throws ConfigError when the endpoint is not an http URL, or the protocol is not supported: nothing could be exported
 */
export function tracingSettingsOf(env: Environment, onIgnored: (sentence: string) => void): TracingSettings | undefined {
  const given = (name: string): string | undefined => env[name]?.trim() || undefined;
  const endpointName =
    given('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const endpoint = given(endpointName);
  if (endpoint === undefined || given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const exporter = given('OTEL_TRACES_EXPORTER') ?? 'otlp';
  if (exporter === 'none') return undefined;
  if (exporter !== 'otlp') onIgnored(`OTEL_TRACES_EXPORTER=${exporter} is ignored: it must be otlp or none.`);

  const protocolName =
    given('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL';
  const protocol = given(protocolName) ?? 'http/protobuf';
  const problems = isHttpUrl(endpoint) ? [] : [`${endpointName} must be an http or https URL.`];
  if (!isProtocol(protocol)) {
    problems.push(`${protocolName} must be http/protobuf or http/json (it is "${protocol}").`);
    throw new ConfigError(problems);
  }
  if (problems.length > 0) throw new ConfigError(problems);

  const number = (name: string, fallback: number, min: number, max: number): number => {
    const text = given(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (value >= min && value <= max) return value;
    onIgnored(`${name}=${text} is ignored: it must be a number from ${min} to ${max}.`);
    return fallback;
  };
  const sampler = given('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  if (!isSampler(sampler)) onIgnored(`OTEL_TRACES_SAMPLER=${sampler} is ignored: it must be one of ${samplers.join(', ')}.`);
  const queueSpansMax = Math.floor(number('OTEL_BSP_MAX_QUEUE_SIZE', 2048, 1, 100_000));
  return {
    url: endpointName === 'OTEL_EXPORTER_OTLP_ENDPOINT' ? tracesUrl(endpoint) : endpoint,
    protocol,
    sampler: isSampler(sampler) ? sampler : 'parentbased_always_on',
    samplerRatio: number('OTEL_TRACES_SAMPLER_ARG', 1, 0, 1),
    queueSpansMax,
    exportSpansMax: Math.min(queueSpansMax, Math.floor(number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 1, 100_000))),
    exportDelayMs: number('OTEL_BSP_SCHEDULE_DELAY', 5000, 1, 3_600_000),
    exportMsMax: number('OTEL_BSP_EXPORT_TIMEOUT', 30_000, 1, 3_600_000),
  };
}

/** The endpoint of all signals, with the path of traces. */
function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url.href;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function isProtocol(text: string): text is TracingProtocol {
  return text === 'http/protobuf' || text === 'http/json';
}

function isSampler(text: string): text is SamplerName {
  return (samplers as readonly string[]).includes(text);
}

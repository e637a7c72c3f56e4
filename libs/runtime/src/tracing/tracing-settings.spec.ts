import { expect, it } from 'vitest';
import { tracingSettingsOf, type TracingSettings } from './tracing-settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function read(env: Record<string, string>): { readonly settings: TracingSettings | undefined; readonly ignored: readonly string[] } {
  const ignored: string[] = [];
  return { settings: tracingSettingsOf(env, (sentence) => void ignored.push(sentence)), ignored };
}

it.each([
  ['without variables', {}],
  ['with an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  ['without an endpoint, whatever the other variables say', { OTEL_TRACES_SAMPLER: 'always_on', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  ['while the SDK is disabled', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }],
  ['without an exporter of traces', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
])('tracing is off %s', (_case, env) => {
  expect(read(env)).toEqual({ settings: undefined, ignored: [] });
});

it('an endpoint alone turns tracing on with the defaults of the specification', () => {
  expect(read(endpoint)).toEqual({
    settings: {
      url: 'http://collector:4318/v1/traces',
      protocol: 'http/protobuf',
      sampler: 'parentbased_always_on',
      samplerRatio: 1,
      queueSpansMax: 2048,
      exportSpansMax: 512,
      exportDelayMs: 5000,
      exportMsMax: 30_000,
    },
    ignored: [],
  });
});

it.each([
  ['http://collector:4318/base/', 'http://collector:4318/base/v1/traces'],
  ['https://collector/', 'https://collector/v1/traces'],
])('the path of traces is added to the endpoint %s', (url, traces) => {
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: url }).settings?.url).toBe(traces);
});

it('the endpoint and the protocol of traces win over those of all signals, and the endpoint is used as it is', () => {
  const { settings } = read({
    ...endpoint,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/in',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
  });
  expect(settings).toMatchObject({ url: 'https://traces.example/in', protocol: 'http/json' });
});

it('an endpoint that is not an http URL and a protocol that is not supported are both named', () => {
  expect(() => read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toThrow(
    'The settings cannot be used:\n' +
      '  - OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL.\n' +
      '  - OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json (it is "grpc").',
  );
});

it('other unusable values are ignored with a sentence each', () => {
  const { settings, ignored } = read({
    ...endpoint,
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_TRACES_SAMPLER_ARG: '2',
    OTEL_BSP_MAX_QUEUE_SIZE: 'many',
  });
  expect(settings).toEqual(read(endpoint).settings);
  expect(ignored).toEqual([
    'OTEL_TRACES_EXPORTER=zipkin is ignored: it must be otlp or none.',
    expect.stringMatching(/^OTEL_TRACES_SAMPLER=sometimes is ignored: it must be one of always_on, /),
    'OTEL_BSP_MAX_QUEUE_SIZE=many is ignored: it must be a number from 1 to 100000.',
    'OTEL_TRACES_SAMPLER_ARG=2 is ignored: it must be a number from 0 to 1.',
  ]);
});

it('an export holds no more spans than the queue', () => {
  expect(read({ ...endpoint, OTEL_BSP_MAX_QUEUE_SIZE: '100' }).settings).toMatchObject({ queueSpansMax: 100, exportSpansMax: 100 });
});

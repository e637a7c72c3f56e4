import { kafkaRefusalOf } from '@millrace/kafka/access';
import { classOfLakeError, LakeError, remedyOfAwsError, type CatalogGuard, type StoreCall, type StoreGuard } from '@millrace/lake';
import { classifyError, type ErrorClass, type Pipeline } from '@millrace/resilience';
import {
  pipelineSpecs,
  type CallPath,
  type NamedDefaults,
  type NamedSpecs,
  type PipelineRegistry,
  type PipelinesOptions,
} from '@millrace/runtime';
import { isSinkError } from './errors.ts';
import { consumerAttemptsMax } from './kafka/kafka-batch-strategy.ts';

/**
 * Every pipeline of the sink, with the defaults of its settings. Break durations are short: waiting records are durable, and they must
 * continue as soon as S3 and Kafka recover. Lanes retry their steps without limit. The pipelines retry only calls whose brief failure
 * would make a lane start its step over.
 */
export const sinkPipelines = {
  s3: {
    timeout: { connectMs: 2000, attemptMs: 30_000, totalMs: 60_000 },
    retry: { attemptsMax: 2, waitMsMax: 1000 },
    breaker: { minimumCalls: 5, breakDurationMs: 2000, breakDurationMsMax: 10_000, rampMs: 2000 },
    bulkhead: { concurrencyMax: 48, queueMax: 1000, queueWaitMsMax: 10_000 },
    classify: errorClassOf,
  },
  glue: {
    timeout: { connectMs: 2000, attemptMs: 10_000, totalMs: 30_000 },
    retry: { attemptsMax: 2, waitMsMax: 1000 },
    breaker: { minimumCalls: 3, breakDurationMs: 2000, breakDurationMsMax: 15_000, probes: 1 },
    bulkhead: { concurrencyMax: 4, queueMax: 100, queueWaitMsMax: 10_000 },
    classify: errorClassOf,
  },
  // Calls of the admin client. Fetches and commits of the consumer are one long session, which the strategy restarts when it breaks.
  kafka: {
    timeout: { attemptMs: 15_000, totalMs: 15_000 },
    breaker: { windowMs: 60_000, minimumCalls: 3, breakDurationMs: 1000, breakDurationMsMax: 5000, probes: 1 },
    bulkhead: { concurrencyMax: 4, queueMax: 100, queueWaitMsMax: 10_000 },
    classify: errorClassOf,
  },
} as const satisfies NamedDefaults;

/** Guards around every call that leaves the process. */
export interface SinkGuards {
  readonly s3: StoreGuard;
  readonly glue: CatalogGuard;
  readonly kafka: <T>(run: () => Promise<T>) => Promise<T>;
}

/** The settings that the pipelines read. `config.ts` imports this file for their schema, so its type cannot be named here. */
export interface SinkPipelineSettings extends Readonly<Record<string, unknown>> {
  readonly SINK_ATTEMPTS_PER_REQUEST_MAX: number;
}

/** The specs with the settings of the environment. */
export function sinkSpecs(config: SinkPipelineSettings): NamedSpecs<typeof sinkPipelines> {
  return pipelineSpecs('SINK', sinkPipelines, config);
}

/** The pipelines that this process creates. */
export function sinkPipelinesOf(config: SinkPipelineSettings): PipelinesOptions {
  return { specs: sinkSpecs(config), callPaths, attemptsPerRequestMax: config.SINK_ATTEMPTS_PER_REQUEST_MAX, remedyOf };
}

/** The pipelines that the projector creates. */
export function projectorPipelinesOf(config: SinkPipelineSettings): PipelinesOptions {
  const { s3, glue } = sinkSpecs(config);
  const paths = [
    { request: 'one step of a round: one call to S3', layers: ['s3', sdk] },
    { request: 'one move of the pointer: one call to Glue', layers: ['glue', sdk] },
  ];
  return { specs: { s3, glue }, callPaths: paths, attemptsPerRequestMax: config.SINK_ATTEMPTS_PER_REQUEST_MAX, remedyOf };
}

/** The guards over existing pipelines. */
export function guardsOver(registry: Pick<PipelineRegistry, 'get'>): SinkGuards {
  const kafka = answering<'kafka'>(registry.get('kafka'));
  return { ...lakeGuardsOver(registry), kafka: async (run) => await kafka.execute(run) };
}

/** The guards of the lake over existing pipelines. */
export function lakeGuardsOver(registry: Pick<PipelineRegistry, 'get'>): Pick<SinkGuards, 's3' | 'glue'> {
  const s3 = answering<'s3'>(registry.get('s3'));
  const glue = answering<'glue'>(registry.get('glue'));
  return {
    s3: async (call, run, signal) =>
      await s3.execute(async (attempt) => await run(attempt.signal), { signal, key: call, idempotent: idempotent[call] }),
    // Every catalog change is declarative: an entry that already exists is success.
    glue: async (run, signal) => await glue.execute(async (attempt) => await run(attempt.signal), { signal, idempotent: true }),
  };
}

/** Calls that may be retried at once. After a PUT with an unknown outcome, the ledger must read the key first. */
const idempotent: Readonly<Record<StoreCall, boolean>> = { get: true, head: true, list: true, copy: true, delete: true, put: false };

/** Narrows a pipeline to its declared type: without fallbacks it returns only results of the work. */
function answering<N extends keyof typeof sinkPipelines>(pipeline: Pipeline): Pipeline<NamedSpecs<typeof sinkPipelines>[N]> {
  return pipeline;
}

const sdk = { name: 'AWS SDK', attemptsMax: 1 };

// The sink serves no requests. Here a request is one attempt of a step, which its lane retries with back-off until it succeeds.
const callPaths: readonly CallPath[] = [
  { request: 'one try of a step: one call to S3', layers: ['s3', sdk] },
  { request: 'one try of a registration: one page of Glue', layers: ['glue', sdk] },
  { request: 'one try to reach Kafka: one call of the admin client', layers: ['kafka', { name: 'kafkajs', attemptsMax: 1 }] },
  { request: 'the life of a consumer: one fetch, one join of the group', layers: [{ name: 'kafkajs', attemptsMax: consumerAttemptsMax }] },
];

/** The remedy for an error that does not pass by itself; undefined for all others. */
export function remedyOf(error: unknown): string | undefined {
  return kafkaRefusalOf(error)?.remedy ?? remedyOfAwsError(error);
}

function errorClassOf(error: unknown): ErrorClass {
  // A dependency that refuses is healthy: an open circuit would only hide its answer. Lanes retry with back-off.
  if (isSinkError(error, 'disk-full') || remedyOf(error) !== undefined) return 'invalid';
  return error instanceof LakeError ? classOfLakeError(error) : classifyError(error);
}

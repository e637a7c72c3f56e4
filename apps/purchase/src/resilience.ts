import { streams } from '@millrace/contracts';
import { kafkaRefusalOf } from '@millrace/kafka/access';
import type { CatalogGuard, StoreGuard } from '@millrace/lake';
import { classOfLakeError, LakeError, remedyOfLakeError } from '@millrace/lake/errors';
import { classifyError, type ErrorClass, type FallbackQueue, type Pipeline, type PipelineSpec } from '@millrace/resilience';
import {
  pipelineSpecs,
  type CallPath,
  type NamedDefaults,
  type NamedSpecs,
  type PipelineRegistry,
  type PipelineRule,
  type PipelinesOptions,
  type SettingsOf,
} from '@millrace/runtime';
import { TopicError } from './errors.ts';
import { timeoutGuard, type KafkaGuard } from './guards.ts';
import { isForOutbox } from './outbox/outbox-publisher.ts';
import { refusedForItsContent } from './publish/send-outcome.ts';

/** Each request has its own time limit. This limit only ends the counting of a request whose connection never closes. */
const requestMs = 3_600_000;

/** Every pipeline of the purchase API, with the defaults of its settings. */
export const purchasePipelines = {
  // Surrounds every request: sheds the least important ones when the process is overloaded.
  http: { timeout: { attemptMs: requestMs, totalMs: requestMs }, shed: {}, fixed: ['timeout'] },
  // No retries here: the client repeats a write safely under its producer id and sequence numbers, and the publisher reconnects.
  kafka: {
    classify: errorClassOf,
    // Long enough for an orderly leader change, and for one lost answer (1 s) and its repetition. Kafka replaces a dead broker only after
    // its session of 9 s, so a longer wait would hold requests and still fail. A purchase waits for at most one write and one attempt to
    // connect: 5 s, half its time.
    timeout: { attemptMs: 3000, totalMs: 30_000 },
    breaker: { minimumCalls: 3, breakDurationMs: 1000, breakDurationMsMax: 5000, probes: 1 },
    // Each stream has one outstanding write, its attempts to connect and its health checks.
    bulkhead: { concurrencyMax: 8 * streams.length },
  },
  // The event id alone prevents double counting, so a purchase never waits for its receipt in Redis.
  receipts: {
    dependency: 'redis',
    timeout: { attemptMs: 100, totalMs: 100 },
    breaker: { minimumCalls: 3, breakDurationMs: 1000, breakDurationMsMax: 5000, probes: 1 },
    bulkhead: { concurrencyMax: 1000 },
    fallbacks: [{ kind: 'silent' }],
  },
  // Requests that follow an event. Each reads the topic and the lake; none may take the place of a purchase.
  follow: {
    dependency: 'lake',
    timeout: { attemptMs: requestMs, totalMs: requestMs },
    bulkhead: { concurrencyMax: 16, queueMax: 64, queueWaitMsMax: 2000 },
    fixed: ['timeout'],
  },
  // Separate from the writes: a slow search must not open the circuit of the purchases.
  'topic-reads': {
    dependency: 'kafka',
    classify: errorClassOf,
    timeout: { attemptMs: 3500, totalMs: 3500 },
    breaker: { minimumCalls: 5, breakDurationMs: 1000, breakDurationMsMax: 5000, probes: 1 },
    bulkhead: { concurrencyMax: 16 },
  },
  // A request that follows an event makes up to a dozen such calls and answers without them.
  s3: {
    classify: errorClassOf,
    timeout: { connectMs: 500, attemptMs: 1000, totalMs: 2000 },
    retry: { attemptsMax: 2, baseMs: 50, waitMsMax: 500 },
    breaker: { minimumCalls: 5, breakDurationMs: 1000, breakDurationMsMax: 5000, probes: 1 },
    bulkhead: { concurrencyMax: 32 },
  },
  glue: {
    classify: errorClassOf,
    timeout: { connectMs: 500, attemptMs: 1000, totalMs: 2000 },
    retry: { attemptsMax: 2, baseMs: 50, waitMsMax: 500 },
    breaker: { minimumCalls: 5, breakDurationMs: 1000, breakDurationMsMax: 5000, probes: 1 },
    bulkhead: { concurrencyMax: 16 },
  },
} as const satisfies NamedDefaults;

/** The settings that the pipelines read. `config.ts` imports this file for their schema, so its type cannot be named here. */
export interface PurchasePipelineSettings extends Readonly<Record<string, unknown>> {
  readonly LAKE_BUCKET?: string;
  readonly PURCHASE_ATTEMPTS_PER_REQUEST_MAX: number;
  readonly PURCHASE_KAFKA_ANSWER_MS_MAX: number;
  readonly PURCHASE_KAFKA_CHECK_MS_MAX: number;
  readonly PURCHASE_KAFKA_OPEN_MS_MAX: number;
  readonly PURCHASE_KAFKA_RETRY_DELAY_MS: number;
  readonly PURCHASE_OUTBOX_DIR?: string;
  readonly PURCHASE_REQUEST_MS_MAX: number;
  readonly REDIS_URL?: string;
}

/** The specs with the settings of the environment. */
export function purchaseSpecs(config: PurchasePipelineSettings): NamedSpecs<typeof purchasePipelines> {
  return pipelineSpecs('PURCHASE', purchasePipelines, config);
}

/** Constraints between the limits of a write and those of the client, checked at the start and after every change. */
export function purchaseRule(config: PurchasePipelineSettings): PipelineRule {
  return (settingsOf) =>
    config.PURCHASE_KAFKA_ANSWER_MS_MAX < settingsOf('kafka').timeout.attemptMs
      ? []
      : [
          `PURCHASE_KAFKA_ATTEMPT_TIMEOUT_MS must be above PURCHASE_KAFKA_ANSWER_MS_MAX (${config.PURCHASE_KAFKA_ANSWER_MS_MAX}): otherwise a write whose answer was lost is never retried.`,
        ];
}

/** Maximum number of requests that wait for the disk: the connections of the listener. */
const outboxPutsMax = 4096;
/** Maximum wait for the disk after the time limit of a request, in milliseconds. */
const outboxPutMsMax = 5000;

/**
 * The pipeline around the publishing of one request. The calls to Kafka inside it run in the pipeline `kafka`. This pipeline adds the
 * outbox as its `queue` fallback. Its attempt timeout is longer than any request.
 */
export function publishSpec(config: PurchasePipelineSettings, queue: FallbackQueue) {
  const attemptMs = config.PURCHASE_REQUEST_MS_MAX + outboxPutMsMax;
  return {
    name: 'publish',
    dependency: 'kafka',
    timeout: { attemptMs, totalMs: 2 * attemptMs },
    fallbackConcurrencyMax: outboxPutsMax,
    fallbacks: [{ kind: 'queue', queue, when: isForOutbox }],
  } as const satisfies PipelineSpec;
}

/** Names of the pipelines that the process creates. */
export function purchasePipelineNames(config: PurchasePipelineSettings): readonly string[] {
  return [...Object.keys(ownSpecs(config)), ...(config.PURCHASE_OUTBOX_DIR === undefined ? [] : ['publish'])];
}

/** The specs of the parts that the settings switch on. */
function ownSpecs(config: PurchasePipelineSettings): Readonly<Record<string, PipelineSpec>> {
  const { receipts, s3, glue, ...always } = purchaseSpecs(config);
  return {
    ...always,
    ...(config.REDIS_URL === undefined ? {} : { receipts }),
    ...(config.LAKE_BUCKET === undefined ? {} : { s3, glue }),
  };
}

/** The pipelines that the process creates. @param queue The outbox, if there is one. */
export function purchasePipelinesOf(config: PurchasePipelineSettings, queue?: FallbackQueue): PipelinesOptions {
  const specs = { ...ownSpecs(config), ...(queue === undefined ? {} : { publish: publishSpec(config, queue) }) };
  const { PURCHASE_ATTEMPTS_PER_REQUEST_MAX: attemptsPerRequestMax } = config;
  return { specs, callPaths: callPathsOf(config), attemptsPerRequestMax, rule: purchaseRule(config), remedyOf };
}

/** Guards every call to Kafka. Attempts to connect and health checks have shorter limits within that of a write. */
export function kafkaGuardOver(registry: Pick<PipelineRegistry, 'get'>, config: PurchasePipelineSettings): KafkaGuard {
  const kafka = registry.get('kafka') as unknown as Pipeline<NamedSpecs<typeof purchasePipelines>['kafka']>;
  const limited = timeoutGuard({ open: config.PURCHASE_KAFKA_OPEN_MS_MAX, check: config.PURCHASE_KAFKA_CHECK_MS_MAX });
  return async (call, run, signal) =>
    await kafka.execute(async (attempt) => await (call === 'send' ? run(attempt.signal) : limited(call, run, attempt.signal)), {
      signal,
      key: call,
    });
}

/** Runs a reading of the topic within its pipeline. */
export function topicReadGuardOver(
  registry: Pick<PipelineRegistry, 'get'>,
): <T>(run: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<T> {
  const reads = registry.get('topic-reads') as unknown as Pipeline<NamedSpecs<typeof purchasePipelines>['topic-reads']>;
  return async (run, signal) => await reads.execute(async (attempt) => await run(attempt.signal), { signal, idempotent: true });
}

/** The guards around the calls to the lake. They only read. */
export function lakeGuardsOver(registry: Pick<PipelineRegistry, 'get'>): { readonly s3: StoreGuard; readonly glue: CatalogGuard } {
  const s3 = registry.get('s3') as unknown as Pipeline<NamedSpecs<typeof purchasePipelines>['s3']>;
  const glue = registry.get('glue') as unknown as Pipeline<NamedSpecs<typeof purchasePipelines>['glue']>;
  return {
    s3: async (call, run, signal) =>
      await s3.execute(async (attempt) => await run(attempt.signal), { signal, key: call, idempotent: true }),
    glue: async (run, signal) => await glue.execute(async (attempt) => await run(attempt.signal), { signal, idempotent: true }),
  };
}

// An event that is too large, or a stream without its topic, must not open the circuit for all others.
function errorClassOf(error: unknown): ErrorClass {
  if (error instanceof TopicError) return 'invalid';
  if (error instanceof LakeError) return classOfLakeError(error);
  // A broker that refuses the credentials is healthy: an open circuit would only hide its answer.
  return refusedForItsContent(error) || remedyOf(error) !== undefined ? 'invalid' : classifyError(error);
}

/** Returns the remedy for a permanent error; undefined for any other. */
export function remedyOf(error: unknown): string | undefined {
  return kafkaRefusalOf(error)?.remedy ?? remedyOfLakeError(error);
}

function callPathsOf(config: PurchasePipelineSettings): readonly CallPath[] {
  // The number of attempts that fit into the time of one write when each is refused at once.
  const writes = (settingsOf: SettingsOf): number =>
    Math.ceil(settingsOf('kafka').timeout.attemptMs / config.PURCHASE_KAFKA_RETRY_DELAY_MS);
  const sdk = { name: 'AWS SDK', attemptsMax: 1 };
  return [
    {
      request: 'GET /v1/<stream>/{eventId}: reading the topic, twice for a duplicate',
      layers: ['topic-reads', { name: '@platformatic/kafka', attemptsMax: 1 }],
      calls: 2,
    },
    ...(config.LAKE_BUCKET === undefined
      ? []
      : [
          { request: 'GET /v1/<stream>/{eventId}: each look at a ledger and each file', layers: ['s3', sdk] },
          { request: 'GET /v1/<stream>/{eventId}: the day in the catalog', layers: ['glue', sdk] },
        ]),
    ...streams.map(({ name }) => ({
      request: `POST /v1/${name}: the write that it shares with others`,
      layers: ['kafka', { name: '@platformatic/kafka', attemptsMax: writes }],
    })),
    ...(config.REDIS_URL === undefined
      ? []
      : [
          {
            request: 'a request with an Idempotency-Key: claiming the key, keeping the receipt; following an event: finding it',
            layers: ['receipts', { name: 'ioredis', attemptsMax: 1 }],
            calls: 2,
          },
        ]),
  ];
}

import { purchaseLimits, purchases, type Stream } from '@millrace/contracts';
import { kafkaPrefixes, kafkaProblems, kafkaSettings } from '@millrace/kafka/access';
import { lakePrefix, lakeSettings } from '@millrace/lake/settings';
import { redisPrefixes, redisProblems, redisSettings, redisUrlPattern } from '@millrace/redis';
import {
  attemptsSetting,
  authPrefix,
  authSettings,
  drainPrefix,
  drainSettings,
  logSettings,
  pipelineProblems,
  pipelineSettings,
  readConfig,
} from '@millrace/runtime';
import { Type, type Static } from 'typebox';
import { batchQueueShare } from './publish/publisher.ts';
import { purchasePipelines, purchaseRule, purchaseSpecs } from './resilience.ts';

/** Every setting; docs/settings.md is checked against it. */
export const purchaseConfigSchema = Type.Object({
  PURCHASE_HOST: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address to listen on' }),
  PURCHASE_PORT: Type.Integer({ default: 3001, minimum: 0, maximum: 65_535, description: 'Port of the purchase API' }),
  PURCHASE_TOPIC: Type.String({
    default: purchases.topic.name,
    pattern: '^[A-Za-z0-9._-]{1,249}$',
    description: 'Topic of the stream purchases',
  }),
  PURCHASE_BODY_BYTES_MAX: Type.Integer({
    default: purchaseLimits.bodyBytesMax,
    minimum: 1024,
    maximum: 64 * 1024 * 1024,
    description: 'Largest request body in bytes, decoded, except for a batch',
  }),
  PURCHASE_BATCH_BYTES_MAX: Type.Integer({
    default: purchaseLimits.batchBytesMax,
    minimum: 1024,
    maximum: 64 * 1024 * 1024,
    description: 'Largest body of a batch in bytes, decoded',
  }),
  PURCHASE_BATCH_BYTES_HELD_MAX: Type.Integer({
    default: 64 * 1024 * 1024,
    minimum: 1024,
    maximum: 16 * 1024 * 1024 * 1024,
    description: 'Maximum bytes of batches in memory at once, from their arrival to their answer; above it, batches get 503',
  }),
  PURCHASE_BATCH_ITEMS_MAX: Type.Integer({
    default: purchaseLimits.batchItemsMax,
    minimum: 1,
    maximum: 100_000,
    description: 'Maximum number of items in a posted batch',
  }),
  PURCHASE_CALLER_EVENTS_PER_SECOND: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000_000,
      description:
        'Events that one caller may send to this instance in a second; above it, 429. Without authentication all requests are of one caller. Without the setting there is no limit',
    }),
  ),
  PURCHASE_CALLER_REQUESTS_MAX: Type.Integer({
    default: 1024,
    minimum: 1,
    maximum: 100_000,
    description: 'Requests that one authenticated caller may have open at a time; above it, 429',
  }),
  PURCHASE_CORS_ORIGINS: Type.Optional(
    Type.Array(Type.String({ pattern: '^https?://[^/\\s,]+$' }), {
      minItems: 1,
      maxItems: 100,
      description: 'Origins whose pages may call the API from a browser, such as https://shop.example. Without it, no other origin may',
    }),
  ),
  PURCHASE_REQUEST_MS_MAX: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Time limit of a request in milliseconds; a caller may set a shorter one',
  }),
  PURCHASE_LINGER_MS: Type.Integer({
    default: 1,
    minimum: 0,
    maximum: 1000,
    description: 'Time that an event waits to share a send with later events, in milliseconds',
  }),
  PURCHASE_SEND_PARTITION_BYTES_MAX: Type.Integer({
    default: 512 * 1024,
    minimum: 64 * 1024,
    maximum: purchases.topic.maxMessageBytes,
    description: 'Maximum bytes of one partition in one send',
  }),
  PURCHASE_QUEUE_EVENTS_MAX: Type.Integer({
    default: 50_000,
    minimum: 1,
    maximum: 10_000_000,
    description: 'Maximum number of events of one stream that wait for Kafka, including events in flight',
  }),
  PURCHASE_QUEUE_BYTES_MAX: Type.Integer({
    default: 64 * 1024 * 1024,
    minimum: 1024 * 1024,
    maximum: 16 * 1024 * 1024 * 1024,
    description: 'Maximum bytes of events of one stream that wait for Kafka, including events in flight',
  }),
  PURCHASE_OUTBOX_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Directory of the outbox, on a disk that outlives the instance; one for each. Without it, events are refused while Kafka is down',
    }),
  ),
  PURCHASE_OUTBOX_BYTES_MAX: Type.Integer({
    default: 1024 * 1024 * 1024,
    minimum: 64 * 1024 * 1024,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Maximum bytes of the outbox on disk; above it, events are refused while Kafka is down',
  }),
  PURCHASE_FIREHOSE_KEYS_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'File with the access keys of producers that use Firehose: `{"keys": [{"accessKeyId", "secretAccessKey"}]}`. Without it, such requests are refused where authentication is on and need no signature where it is off',
    }),
  ),
  PURCHASE_KAFKA_CONNECT_MS_MAX: Type.Integer({
    default: 1000,
    minimum: 50,
    maximum: 60_000,
    description: 'Time to open a connection to Kafka, in milliseconds',
  }),
  PURCHASE_KAFKA_ANSWER_MS_MAX: Type.Integer({
    default: 1000,
    minimum: 50,
    maximum: 60_000,
    description: 'Time until Kafka answers one attempt to write, in milliseconds; then the attempt is repeated',
  }),
  PURCHASE_KAFKA_RETRY_DELAY_MS: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 60_000,
    description: 'Wait between two attempts to write, in milliseconds',
  }),
  PURCHASE_KAFKA_METADATA_MS: Type.Integer({
    default: 15_000,
    minimum: 100,
    maximum: 3_600_000,
    description: 'Interval at which the service looks for new partitions of its topics, in milliseconds',
  }),
  PURCHASE_KAFKA_OPEN_MS_MAX: Type.Integer({
    default: 2000,
    minimum: 100,
    maximum: 600_000,
    description: 'Time to reach Kafka and to get a producer id, in milliseconds',
  }),
  PURCHASE_KAFKA_CHECK_MS_MAX: Type.Integer({
    default: 1000,
    minimum: 50,
    maximum: 60_000,
    description: 'Time limit of a check of Kafka, in milliseconds',
  }),
  PURCHASE_FOLLOW_RECORDS_MAX: Type.Integer({
    default: 200_000,
    minimum: 1,
    maximum: 100_000_000,
    description: 'Maximum number of records that are read from the topic to find an event whose offset is unknown',
  }),
  PURCHASE_RECEIPT_SECONDS: Type.Integer({
    default: 86_400,
    minimum: 60,
    maximum: 2_592_000,
    description: 'How long Redis keeps the receipt of a request with an Idempotency-Key, in seconds; about 600 bytes each',
  }),
  ...pipelineSettings('PURCHASE', purchasePipelines),
  ...attemptsSetting('PURCHASE', 100),
  ...kafkaSettings,
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: redisUrlPattern,
      description:
        'Redis for the receipts of requests with an Idempotency-Key. Without it, a repetition is sent again under the same event id',
    }),
  ),
  ...redisSettings,
  LAKE_BUCKET: Type.Optional(
    Type.String({
      minLength: 3,
      maxLength: 63,
      description: 'Bucket of the lake, to follow events to their rows. Without it, an event can be followed only to Kafka',
    }),
  ),
  ...lakeSettings,
  LAKE_DATABASE: Type.String({ default: purchases.database, minLength: 1, maxLength: 255, description: 'Glue database of the tables' }),
  ...authSettings,
  ...drainSettings,
  ...logSettings,
});

/** Settings of the purchase API, named as in the environment. */
export type PurchaseConfig = Static<typeof purchaseConfigSchema>;

/**
 * Reads the settings.
 *
 * @throws ConfigError naming every problem at once
 */
export function readPurchaseConfig(env: Readonly<Record<string, string | undefined>> = process.env): PurchaseConfig {
  return readConfig(purchaseConfigSchema, {
    prefixes: ['PURCHASE_', ...kafkaPrefixes, ...redisPrefixes, lakePrefix, authPrefix, drainPrefix],
    env,
    check: (config) => [
      ...(config.PURCHASE_QUEUE_EVENTS_MAX * batchQueueShare >= config.PURCHASE_BATCH_ITEMS_MAX
        ? []
        : [
            'PURCHASE_QUEUE_EVENTS_MAX must be at least 4/3 of PURCHASE_BATCH_ITEMS_MAX: batches may fill only three quarters of the queue, so the largest batch would never fit.',
          ]),
      ...(config.PURCHASE_BATCH_BYTES_HELD_MAX >= config.PURCHASE_BATCH_BYTES_MAX
        ? []
        : ['PURCHASE_BATCH_BYTES_HELD_MAX must not be below PURCHASE_BATCH_BYTES_MAX: the largest batch would never fit.']),
      ...kafkaProblems(config),
      ...redisProblems(config),
      ...pipelineProblems(purchaseSpecs(config), purchaseRule(config)),
    ],
  });
}

/** The streams as this process writes them: `PURCHASE_TOPIC` replaces the topic of the purchases. */
export function configuredStreams(config: PurchaseConfig, streams: readonly Stream[]): readonly Stream[] {
  return streams.map((stream) =>
    stream.name === purchases.name ? { ...stream, topic: { ...stream.topic, name: config.PURCHASE_TOPIC } } : stream,
  );
}

import { PipelineRegistry, Metrics, pipelineToken } from '@millrace/runtime';
import { redisSettingsOf, requestConnection, settled, type RedisClient, type RedisSettings } from '@millrace/redis';
import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import type { PurchaseConfig } from '../config.ts';
import { IdempotentAnswers, type KeyedResult } from './idempotent-answers.ts';
import { RedisReceiptStore, type ReceiptStore } from './receipt-store.ts';

/** Injection token of the connection to Redis; undefined without `REDIS_URL`. */
const REDIS = Symbol('REDIS');

/** Injection token of the {@link ReceiptStore}; undefined without `REDIS_URL`. */
export const RECEIPTS = Symbol('RECEIPTS');

/** Name of the pipeline around the receipts. */
const pipelineName = 'receipts';

/** Largest receipt that is kept, in bytes: more than the compressed answer to 10,000 items has. */
const receiptBytesMax = 1024 * 1024;

/** How long the start waits for Redis, in milliseconds, so that the first requests find it. */
const settledMsMax = 1000;

/** Gives the app its {@link IdempotentAnswers}. */
@Module({})
export class IdempotencyModule implements OnModuleDestroy {
  constructor(@Inject(REDIS) private readonly redis: RedisClient | undefined) {}

  static of(config: PurchaseConfig, logger: Logger): DynamicModule {
    const { REDIS_URL: url, PURCHASE_RECEIPT_SECONDS: seconds } = config;
    const pipelines = url === undefined ? [] : [pipelineToken(pipelineName)];
    return {
      module: IdempotencyModule,
      providers: [
        {
          provide: REDIS,
          inject: [PipelineRegistry, ...pipelines],
          useFactory: async (registry: PipelineRegistry) =>
            url === undefined ? undefined : await connect(redisSettingsOf(url, config), registry, logger),
        },
        {
          provide: RECEIPTS,
          inject: [REDIS, PipelineRegistry],
          useFactory: (redis: RedisClient | undefined, registry: PipelineRegistry) =>
            redis === undefined
              ? undefined
              : new RedisReceiptStore(redis, registry.get(pipelineName), { seconds, bytesMax: receiptBytesMax }),
        },
        {
          provide: IdempotentAnswers,
          inject: [RECEIPTS, Metrics],
          useFactory: (store: ReceiptStore | undefined, metrics: Metrics) =>
            new IdempotentAnswers({ store, onResult: countResults(metrics) }),
        },
      ],
      exports: [IdempotentAnswers, RECEIPTS],
    };
  }

  onModuleDestroy(): void {
    this.redis?.disconnect();
  }
}

async function connect(settings: RedisSettings, registry: PipelineRegistry, logger: Logger): Promise<RedisClient> {
  const pipeline = registry.get(pipelineName);
  const redis = requestConnection(settings, [pipeline], (error) =>
    logger.debug({ err: error }, 'The connection to Redis reported an error.'),
  );
  await settled(redis, settledMsMax);
  return redis;
}

function countResults(metrics: Metrics): (result: KeyedResult) => void {
  const requests = metrics.counter({
    name: 'millrace_purchase_idempotent_requests_total',
    help: 'Requests with an Idempotency-Key, by the fate of their receipt; "unavailable": the event id alone protects the event.',
    labelNames: ['result'],
  });
  return (result) => requests.inc({ result });
}

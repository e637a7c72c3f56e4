import { purchases } from '@millrace/contracts';
import { systemClock } from '@millrace/resilience';
import { HealthRegistry, Metrics, PipelineRegistry, pipelineToken, PipelinesModule } from '@millrace/runtime';
import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import type { PurchaseConfig } from './config.ts';
import { DRAW_HEX, PurchasesController, REQUEST_MS_MAX } from './http/purchases.controller.ts';
import { kafkaGuardOver, purchasePipelinesOf } from './pipelines.ts';
import { KafkaWriter } from './publish/kafka-writer.ts';
import { Publisher } from './publish/publisher.ts';
import { pooledHex } from './publish/random-hex.ts';
import { uuidV7 } from './publish/uuid-v7.ts';
import { PurchaseService } from './purchases/purchase-service.ts';
import { gaugePublisher, invalidPurchases, purchaseTelemetry } from './purchase-telemetry.ts';

/** The composition root of the purchase API. */
@Module({})
export class PurchaseModule implements OnModuleDestroy {
  constructor(
    @Inject(KafkaWriter) private readonly writer: KafkaWriter,
    @Inject(Publisher) private readonly publisher: Publisher,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Metrics) metrics: Metrics,
  ) {
    gaugePublisher(metrics, publisher);
    health.register('kafka', {
      required: true,
      check: async (signal) => {
        if (publisher.downCause !== undefined) throw publisher.downCause;
        return await writer.check(signal);
      },
    });
    publisher.start();
  }

  static of(config: PurchaseConfig, logger: Logger): DynamicModule {
    const topic = config.PURCHASE_TOPIC;
    const draw = pooledHex();
    return {
      module: PurchaseModule,
      imports: [PipelinesModule.forRoot(purchasePipelinesOf(config))],
      controllers: [PurchasesController],
      providers: [
        { provide: REQUEST_MS_MAX, useValue: config.PURCHASE_REQUEST_MS_MAX },
        { provide: DRAW_HEX, useValue: draw },
        {
          provide: KafkaWriter,
          inject: [PipelineRegistry, pipelineToken('kafka')],
          useFactory: (pipelines: PipelineRegistry) =>
            new KafkaWriter(
              {
                brokers: config.KAFKA_BROKERS,
                clientId: 'millrace-purchase',
                topic,
                connectMsMax: config.PURCHASE_KAFKA_CONNECT_MS_MAX,
                answerMsMax: config.PURCHASE_KAFKA_ANSWER_MS_MAX,
                retryDelayMs: config.PURCHASE_KAFKA_RETRY_DELAY_MS,
              },
              kafkaGuardOver(pipelines, config),
            ),
        },
        {
          provide: Publisher,
          inject: [KafkaWriter, Metrics],
          useFactory: (writer: KafkaWriter, metrics: Metrics) =>
            new Publisher(
              writer,
              {
                partitions: purchases.topic.partitions,
                lingerMs: config.PURCHASE_LINGER_MS,
                batchBytesMax: config.PURCHASE_SEND_PARTITION_BYTES_MAX,
                queueEventsMax: config.PURCHASE_QUEUE_EVENTS_MAX,
                queueBytesMax: config.PURCHASE_QUEUE_BYTES_MAX,
                reopen: { baseMs: 100, factor: 2, waitMsMax: 2000 },
              },
              { clock: systemClock, random: Math.random, observe: purchaseTelemetry(logger, metrics) },
            ),
        },
        {
          provide: PurchaseService,
          inject: [Publisher, Metrics],
          useFactory: (publisher: Publisher, metrics: Metrics) =>
            new PurchaseService({ publisher, topic, batchItemsMax: config.PURCHASE_BATCH_ITEMS_MAX, newEventId: () => uuidV7(Date.now(), draw), onInvalid: invalidPurchases(metrics) }),
        },
      ],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.publisher.close();
    this.writer.close();
  }
}

import { purchases } from '@millrace/contracts';
import { kafkaAccessOf } from '@millrace/kafka/access';
import { type Pipeline, systemClock } from '@millrace/resilience';
import { HealthRegistry, Metrics, PipelineRegistry, pipelineToken, PipelinesModule } from '@millrace/runtime';
import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import type { PurchaseConfig } from './config.ts';
import { DRAW_HEX, PurchasesController, REQUEST_MS_MAX } from './http/purchases.controller.ts';
import { IdempotencyModule } from './idempotency/idempotency.module.ts';
import { OutboxDrainer } from './outbox/outbox-drainer.ts';
import { goesToOutbox, OutboxPublisher } from './outbox/outbox-publisher.ts';
import { openOutbox, type Outbox } from './outbox/open-outbox.ts';
import { kafkaGuardOver, purchasePipelineNames, purchasePipelinesOf } from './resilience.ts';
import { KafkaWriter } from './publish/kafka-writer.ts';
import { Publisher } from './publish/publisher.ts';
import { pooledHex } from './publish/random-hex.ts';
import { uuidV7 } from './publish/uuid-v7.ts';
import { PurchaseService } from './purchases/purchase-service.ts';
import {
  gaugeOutbox,
  gaugePublisher,
  invalidPurchases,
  type OutboxObserver,
  outboxTelemetry,
  purchaseTelemetry,
} from './purchase-telemetry.ts';

/** Part of the limit from which on the outbox counts as full: a request of 1 MiB must fit below it. */
const fullPart = 0.98;

/** Injection token of the {@link OutboxParts}; undefined without an outbox. */
const OUTBOX = Symbol('OUTBOX');

interface OutboxParts {
  readonly outbox: Outbox;
  readonly publisher: OutboxPublisher;
  readonly drainer: OutboxDrainer;
}

/** The composition root of the purchase API. */
@Module({})
export class PurchaseModule implements OnModuleDestroy {
  constructor(
    @Inject(KafkaWriter) private readonly writer: KafkaWriter,
    @Inject(Publisher) private readonly publisher: Publisher,
    @Inject(OUTBOX) private readonly parts: OutboxParts | undefined,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Metrics) metrics: Metrics,
  ) {
    gaugePublisher(metrics, publisher);
    health.register('kafka', {
      // With an outbox the service takes purchases without Kafka.
      required: parts === undefined,
      check: async (signal) => {
        if (publisher.downCause !== undefined) throw publisher.downCause;
        return await writer.check(signal);
      },
    });
    if (parts !== undefined) {
      const { log, queue } = parts.outbox;
      gaugeOutbox(metrics, parts.outbox);
      health.register('outbox', {
        required: true,
        check: async () => {
          const isFull = log.bytes >= fullPart * log.bytesMax;
          if (isFull && publisher.downCause !== undefined)
            throw new Error(`The outbox is full, and Kafka is down: it holds ${log.bytes} of ${log.bytesMax} bytes.`);
          return await Promise.resolve(`${queue.entries} events wait, ${log.bytes} of ${log.bytesMax} bytes`);
        },
      });
      parts.drainer.start();
    }
    publisher.start();
  }

  static of(config: PurchaseConfig, logger: Logger): DynamicModule {
    const topic = config.PURCHASE_TOPIC;
    const draw = pooledHex();
    // Opened once: the pipelines need the queue, and everything else the outbox.
    let opened: Promise<Outbox> | undefined;
    const outbox = async (): Promise<Outbox | undefined> => {
      const { PURCHASE_OUTBOX_DIR: directory, PURCHASE_OUTBOX_BYTES_MAX: bytesMax } = config;
      return directory === undefined ? undefined : await (opened ??= openOutbox(directory, bytesMax));
    };
    let drainer: OutboxDrainer | undefined;
    return {
      module: PurchaseModule,
      imports: [
        PipelinesModule.forRootAsync({
          names: purchasePipelineNames(config),
          useFactory: async () => purchasePipelinesOf(config, (await outbox())?.queue),
        }),
        IdempotencyModule.of(config, logger),
      ],
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
                access: kafkaAccessOf(config),
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
          useFactory: (writer: KafkaWriter, metrics: Metrics) => {
            const observe = purchaseTelemetry(logger, metrics);
            return new Publisher(
              writer,
              {
                partitions: purchases.topic.partitions,
                lingerMs: config.PURCHASE_LINGER_MS,
                batchBytesMax: config.PURCHASE_SEND_PARTITION_BYTES_MAX,
                queueEventsMax: config.PURCHASE_QUEUE_EVENTS_MAX,
                queueBytesMax: config.PURCHASE_QUEUE_BYTES_MAX,
                failBehind: config.PURCHASE_OUTBOX_DIR !== undefined,
                reopen: { baseMs: 100, factor: 2, waitMsMax: 2000 },
              },
              {
                clock: systemClock,
                random: Math.random,
                observe: (event) => {
                  // With an outbox, it decides whether these events are rejected.
                  const isUndecided =
                    event.type === 'EventsFailed' && config.PURCHASE_OUTBOX_DIR !== undefined && goesToOutbox(event.reason);
                  if (!isUndecided) observe(event);
                  // Kafka is back: the drainer need not wait for the next event.
                  if (event.type === 'SessionOpened') drainer?.wake();
                },
              },
            );
          },
        },
        {
          provide: OUTBOX,
          inject: [Publisher, PipelineRegistry, Metrics, ...(config.PURCHASE_OUTBOX_DIR === undefined ? [] : [pipelineToken('publish')])],
          useFactory: async (publisher: Publisher, pipelines: PipelineRegistry, metrics: Metrics) => {
            const found = await outbox();
            if (found === undefined) return undefined;
            const parts = outboxParts(found, {
              publisher,
              pipeline: pipelines.get('publish'),
              observer: outboxTelemetry(logger, metrics),
              publishMsMax: config.PURCHASE_REQUEST_MS_MAX,
            });
            ({ drainer } = parts);
            return parts;
          },
        },
        {
          provide: PurchaseService,
          inject: [Publisher, Metrics, OUTBOX],
          useFactory: (publisher: Publisher, metrics: Metrics, parts: OutboxParts | undefined) =>
            new PurchaseService({
              publisher: parts?.publisher ?? publisher,
              topic,
              batchItemsMax: config.PURCHASE_BATCH_ITEMS_MAX,
              newEventId: () => uuidV7(Date.now(), draw),
              onInvalid: invalidPurchases(metrics),
            }),
        },
      ],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.parts?.drainer.stop();
    await this.publisher.close();
    this.writer.close();
    await this.parts?.outbox.close();
  }
}

interface OutboxNeeds {
  readonly publisher: Publisher;
  readonly pipeline: Pipeline;
  readonly observer: OutboxObserver;
  readonly publishMsMax: number;
}

function outboxParts(outbox: Outbox, { publisher, pipeline, observer, publishMsMax }: OutboxNeeds): OutboxParts {
  const { queue } = outbox;
  const drainer = new OutboxDrainer({
    queue,
    replay: async (publish, options) => await pipeline.replay(publish, options),
    publisher,
    clock: systemClock,
    random: Math.random,
    publishMsMax,
    retry: { baseMs: 100, factor: 2, waitMsMax: 2000 },
    onError: observer.onError,
    onReplayed: observer.onReplayed,
  });
  queue.onStored(() => drainer.wake());
  const { onFailed, onQueued } = observer;
  return { outbox, drainer, publisher: new OutboxPublisher({ publisher, queue, pipeline, onFailed, onQueued }) };
}

import { listStreams, type Stream, streams as allStreams } from '@millrace/contracts';
import { kafkaAccessOf, type KafkaAccess } from '@millrace/kafka/access';
import { type Pipeline, systemClock } from '@millrace/resilience';
import {
  HealthRegistry,
  isAuthOn,
  Metrics,
  PipelineRegistry,
  pipelineToken,
  PipelinesModule,
  type Tracing,
  TRACING,
} from '@millrace/runtime';
import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { configuredStreams, type PurchaseConfig } from './config.ts';
import { EventService, type EventTaker } from './events/event-service.ts';
import { TracedEvents } from './events/traced-events.ts';
import { readAccessKeys } from './firehose/access-keys.ts';
import { FIREHOSE, FirehoseController, type FirehoseParts } from './firehose/firehose.controller.ts';
import { FOLLOW_SOURCES, FollowModule, type FollowSourcesOf } from './follow/follow.module.ts';
import { FollowService } from './follow/follow-service.ts';
import { DRAW_HEX, eventsControllerOf, eventServiceToken, followServiceToken, REQUEST_MS_MAX } from './http/events.controller.ts';
import { STREAMS, StreamsController } from './http/streams.controller.ts';
import { IdempotencyModule } from './idempotency/idempotency.module.ts';
import { OutboxDrainer } from './outbox/outbox-drainer.ts';
import { goesToOutbox, OutboxPublisher } from './outbox/outbox-publisher.ts';
import { openOutbox, type Outbox } from './outbox/open-outbox.ts';
import { kafkaGuardOver, purchasePipelineNames, purchasePipelinesOf } from './resilience.ts';
import type { KafkaGuard } from './guards.ts';
import type { EventPublisher } from './publish/event-publisher.ts';
import { KafkaWriter } from './publish/kafka-writer.ts';
import { Publisher } from './publish/publisher.ts';
import { pooledHex, type DrawHex } from './publish/random-hex.ts';
import { checkWay, StreamPublishers, type StreamWay } from './publish/stream-publishers.ts';
import { uuidV7 } from './publish/uuid-v7.ts';
import {
  gaugeOutbox,
  gaugePublishers,
  type OutboxObserver,
  outboxTelemetry,
  publisherTelemetry,
  rejectionsOf,
} from './purchase-telemetry.ts';

/** Part of the limit from which on the outbox counts as full: a request of 1 MiB must fit below it. */
const fullPart = 0.98;

/** Injection token of the {@link OutboxParts}; undefined without an outbox. */
const OUTBOX = Symbol('OUTBOX');

interface OutboxParts {
  readonly outbox: Outbox;
  readonly pipeline: Pipeline;
  readonly observer: OutboxObserver;
  readonly drainer: OutboxDrainer;
}

/** The composition root of the purchase API. */
@Module({})
export class PurchaseModule implements OnModuleDestroy {
  constructor(
    @Inject(StreamPublishers) private readonly publishers: StreamPublishers,
    @Inject(OUTBOX) private readonly parts: OutboxParts | undefined,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Metrics) metrics: Metrics,
  ) {
    gaugePublishers(metrics, publishers.all);
    health.register('kafka', {
      // With an outbox the service takes events without Kafka.
      required: parts === undefined,
      check: async (signal) => await publishers.check(signal),
    });
    // One stream without its topic leaves the service ready for the others.
    if (publishers.all.length > 1) {
      for (const way of publishers.all)
        health.register(`stream-${way.stream.name}`, { required: false, check: async (signal) => await checkWay(way, signal) });
    }
    if (parts !== undefined) {
      const { log, queue } = parts.outbox;
      gaugeOutbox(metrics, parts.outbox);
      health.register('outbox', {
        required: true,
        check: async () => {
          const isFull = log.bytes >= fullPart * log.bytesMax;
          if (isFull && publishers.downCause !== undefined)
            throw new Error(`The outbox is full, and Kafka is down: it holds ${log.bytes} of ${log.bytesMax} bytes.`);
          return await Promise.resolve(`${queue.entries} events wait, ${log.bytes} of ${log.bytesMax} bytes`);
        },
      });
      parts.drainer.start();
    }
    publishers.start();
  }

  /** @param list Streams that the service accepts. Default: every declared stream. */
  static of(config: PurchaseConfig, logger: Logger, list: readonly Stream[] = allStreams): DynamicModule {
    const streams = configuredStreams(config, listStreams(list));
    const draw = pooledHex();
    // Opened once: the pipelines need the queue, and everything else the outbox.
    let opened: Promise<Outbox> | undefined;
    const outbox = async (): Promise<Outbox | undefined> => {
      const { PURCHASE_OUTBOX_DIR: directory, PURCHASE_OUTBOX_BYTES_MAX: bytesMax } = config;
      return directory === undefined ? undefined : await (opened ??= openOutbox(directory, bytesMax, streams));
    };
    let drainer: OutboxDrainer | undefined;
    // Kafka is back: the drainer need not wait for the next event.
    const onOpened = (): void => drainer?.wake();
    return {
      module: PurchaseModule,
      imports: [
        PipelinesModule.forRootAsync({
          names: purchasePipelineNames(config),
          useFactory: async () => purchasePipelinesOf(config, (await outbox())?.queue),
        }),
        FollowModule.of(config, IdempotencyModule.of(config, logger)),
      ],
      controllers: [...streams.map(eventsControllerOf), StreamsController, FirehoseController],
      providers: [
        { provide: REQUEST_MS_MAX, useValue: config.PURCHASE_REQUEST_MS_MAX },
        { provide: DRAW_HEX, useValue: draw },
        { provide: STREAMS, useValue: streams },
        {
          provide: StreamPublishers,
          inject: [PipelineRegistry, Metrics, pipelineToken('kafka')],
          useFactory: (pipelines: PipelineRegistry, metrics: Metrics) => {
            const guard = kafkaGuardOver(pipelines, config);
            // One for all streams, so that they share a token.
            const access = kafkaAccessOf(config);
            return new StreamPublishers(streams.map((stream) => wayOf(stream, { config, logger, metrics, guard, access, onOpened })));
          },
        },
        {
          provide: OUTBOX,
          inject: [
            StreamPublishers,
            PipelineRegistry,
            Metrics,
            ...(config.PURCHASE_OUTBOX_DIR === undefined ? [] : [pipelineToken('publish')]),
          ],
          useFactory: async (publisher: StreamPublishers, pipelines: PipelineRegistry, metrics: Metrics) => {
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
          provide: FIREHOSE,
          inject: streams.map(eventServiceToken),
          useFactory: (...services: readonly EventTaker[]) => firehoseParts(config, streams, services, draw),
        },
        ...streams.map((stream) => ({
          provide: followServiceToken(stream),
          inject: [FOLLOW_SOURCES, pipelineToken('follow'), OUTBOX],
          useFactory: (sourcesOf: FollowSourcesOf, pipeline: Pipeline, parts: OutboxParts | undefined) =>
            new FollowService(sourcesOf(stream, parts?.outbox.queue), pipeline),
        })),
        ...streams.map((stream) => ({
          provide: eventServiceToken(stream),
          inject: [StreamPublishers, Metrics, OUTBOX, TRACING],
          useFactory: (publishers: StreamPublishers, metrics: Metrics, parts: OutboxParts | undefined, tracing: Tracing | undefined) => {
            const onRejected = rejectionsOf(metrics, stream.name);
            const { publisher } = publishers.of(stream.name);
            const events = new EventService({
              stream,
              publisher: parts === undefined ? publisher : withOutbox(publisher, parts, onRejected),
              partitions: () => publisher.partitions,
              batchItemsMax: config.PURCHASE_BATCH_ITEMS_MAX,
              newEventId: () => uuidV7(Date.now(), draw),
              onInvalid: () => onRejected('invalid', 1),
            });
            return tracing === undefined ? events : new TracedEvents(events, stream, tracing);
          },
        })),
      ],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.parts?.drainer.stop();
    await this.publishers.close();
    await this.parts?.outbox.close();
  }
}

/** @param services the services of the streams, in their order */
function firehoseParts(config: PurchaseConfig, streams: readonly Stream[], services: readonly EventTaker[], draw: DrawHex): FirehoseParts {
  const { PURCHASE_FIREHOSE_KEYS_FILE: path, PURCHASE_REQUEST_MS_MAX: requestMsMax } = config;
  return {
    services: new Map(
      streams.flatMap(({ deliveryStream }, index) => (deliveryStream === undefined ? [] : [[deliveryStream, services[index]!] as const])),
    ),
    // With authentication on and without keys, no signature is right.
    accessKeys: path === undefined ? (isAuthOn(config) ? new Map() : undefined) : readAccessKeys(path),
    requestMsMax,
    draw,
    now: Date.now,
  };
}

interface WayNeeds {
  readonly access: KafkaAccess;
  readonly config: PurchaseConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly guard: KafkaGuard;
  readonly onOpened: () => void;
}

function wayOf(stream: Stream, { config, logger, metrics, guard, access, onOpened }: WayNeeds): StreamWay {
  const { name: topic, partitions } = stream.topic;
  const writer = new KafkaWriter(
    {
      access,
      clientId: 'millrace-purchase',
      topic,
      partitions,
      connectMsMax: config.PURCHASE_KAFKA_CONNECT_MS_MAX,
      answerMsMax: config.PURCHASE_KAFKA_ANSWER_MS_MAX,
      retryDelayMs: config.PURCHASE_KAFKA_RETRY_DELAY_MS,
    },
    guard,
  );
  const observe = publisherTelemetry(logger, metrics, stream.name);
  const publisher = new Publisher(
    writer,
    {
      partitions,
      refreshMs: config.PURCHASE_KAFKA_METADATA_MS,
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
        const isUndecided = event.type === 'EventsFailed' && config.PURCHASE_OUTBOX_DIR !== undefined && goesToOutbox(event.reason);
        if (!isUndecided) observe(event);
        if (event.type === 'SessionOpened') onOpened();
      },
    },
  );
  return { stream, writer, publisher };
}

function withOutbox(
  publisher: Publisher,
  { outbox: { queue }, pipeline, observer: { onQueued } }: OutboxParts,
  onFailed: ReturnType<typeof rejectionsOf>,
): EventPublisher {
  return new OutboxPublisher({ publisher, queue, clock: systemClock, pipeline, onFailed, onQueued });
}

interface OutboxNeeds {
  readonly publisher: StreamPublishers;
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
  return { outbox, pipeline, observer, drainer };
}

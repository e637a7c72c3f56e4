import { lakeRoot, objectSettingsOf } from '@millrace/lake/settings';
import type { EventReceipt, Stream } from '@millrace/contracts';
import { kafkaAccessOf } from '@millrace/kafka/access';
import { PipelineRegistry, pipelineToken } from '@millrace/runtime';
import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import type { PurchaseConfig } from '../config.ts';
import { RECEIPTS } from '../idempotency/idempotency.module.ts';
import { decodeReceipt } from '../idempotency/receipt-codec.ts';
import type { ReceiptStore } from '../idempotency/receipt-store.ts';
import type { OutboxQueue } from '../outbox/outbox-queue.ts';
import type { EventMessage } from '../publish/event-message.ts';
import { lakeGuardsOver, purchaseSpecs, topicReadGuardOver } from '../resilience.ts';
import type { FollowSources } from './follow-event.ts';
import { openLake, type OpenedLake } from './open-lake.ts';
import { TopicReader } from './topic-reader.ts';
import { topicSource } from './topic-source.ts';

/** Injection token of the {@link FollowSourcesOf} of the service. */
export const FOLLOW_SOURCES = Symbol('FOLLOW_SOURCES');

/** Makes the sources of a stream. @param outbox undefined: the service has none */
export type FollowSourcesOf = (stream: Stream, outbox: Pick<OutboxQueue<EventMessage>, 'holds'> | undefined) => FollowSources;

/** Injection token of the {@link OpenedLake}; undefined without `LAKE_BUCKET`. */
const LAKE = Symbol('LAKE');

/**
 * Longest time of one search of the topic, in milliseconds. The limit of the pipeline is above it, so a search ends with a partial answer.
 */
const searchMsMax = 2500;

/** Gives the app the sources by which events are followed. */
@Module({})
export class FollowModule implements OnModuleDestroy {
  constructor(@Inject(LAKE) private readonly lake: OpenedLake | undefined) {}

  /** @param receipts the module that exports the receipts in Redis */
  static of(config: PurchaseConfig, receipts: DynamicModule): DynamicModule {
    const { LAKE_BUCKET: bucket, LAKE_DATABASE: database } = config;
    return {
      module: FollowModule,
      imports: [receipts],
      providers: [
        {
          provide: LAKE,
          // The tokens wait until the pipelines exist.
          inject: [PipelineRegistry, ...(bucket === undefined ? [] : [pipelineToken('s3'), pipelineToken('glue')])],
          useFactory: async (pipelines: PipelineRegistry) => {
            if (bucket === undefined) return undefined;
            const { s3, glue } = purchaseSpecs(config);
            const connectTimeoutMs = { s3: s3.timeout.connectMs, glue: glue.timeout.connectMs };
            const root = lakeRoot(bucket, config.LAKE_PREFIX);
            return await openLake({
              root,
              objects: objectSettingsOf(config),
              database,
              guards: lakeGuardsOver(pipelines),
              connectTimeoutMs,
            });
          },
        },
        {
          provide: FOLLOW_SOURCES,
          inject: [PipelineRegistry, LAKE, RECEIPTS, pipelineToken('topic-reads')],
          useFactory: (pipelines: PipelineRegistry, lake: OpenedLake | undefined, store: ReceiptStore | undefined): FollowSourcesOf =>
            sourcesOver(config, pipelines, lake, store),
        },
      ],
      exports: [FOLLOW_SOURCES, receipts],
    };
  }

  onModuleDestroy(): void {
    this.lake?.close();
  }
}

function sourcesOver(
  config: PurchaseConfig,
  pipelines: PipelineRegistry,
  lake: OpenedLake | undefined,
  store: ReceiptStore | undefined,
): FollowSourcesOf {
  const access = kafkaAccessOf(config);
  const guard = topicReadGuardOver(pipelines);
  const { PURCHASE_KAFKA_CONNECT_MS_MAX: connectMsMax, PURCHASE_KAFKA_ANSWER_MS_MAX: answerMsMax } = config;
  return (declared, outbox) => {
    const stream = { ...declared, database: config.LAKE_DATABASE };
    return {
      stream,
      topic: topicSource({
        withReader: async (run, signal) =>
          await guard(async (within) => {
            const reader = new TopicReader({ access, stream, connectMsMax, answerMsMax }, within);
            try {
              return await run(reader);
            } finally {
              reader.close();
            }
          }, signal),
        recordsMax: config.PURCHASE_FOLLOW_RECORDS_MAX,
        searchMsMax,
        now: Date.now,
      }),
      ...(outbox === undefined ? {} : { isInOutbox: async (eventId, signal) => await outbox.holds(eventId, { signal }) }),
      ...(store === undefined ? {} : { receiptOf: async (eventId) => await receiptIn(store, eventId) }),
      ...(lake === undefined ? {} : { lake: lake.readerOf(stream) }),
    } satisfies FollowSources;
  };
}

/** The receipt of a single event. The receipt of a batch is kept under the id of its first part, and has none of these fields. */
async function receiptIn(store: ReceiptStore, eventId: string): Promise<EventReceipt | undefined> {
  const bytes = await store.find(eventId);
  if (bytes === null || bytes === undefined) return undefined;
  const receipt = (await decodeReceipt(bytes)) as Partial<EventReceipt>;
  return receipt.eventId === eventId ? (receipt as EventReceipt) : undefined;
}

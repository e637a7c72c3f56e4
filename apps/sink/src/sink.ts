import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { purchases, type Stream } from '@millrace/contracts';
import { topicRisks } from '@millrace/kafka';
import { kafkaAccessOf } from '@millrace/kafka/access';
import {
  Checkpointer,
  GlueCatalog,
  isLakeError,
  Ledger,
  probesOf,
  probeStore,
  remedyOfAwsError,
  S3ObjectStore,
  type LaneId,
  lakeRoot,
} from '@millrace/lake';
import { systemClock } from '@millrace/resilience';
import type { Metrics, Tracing } from '@millrace/runtime';
import type { Logger } from 'pino';
import { sinkClients } from './aws/aws-clients.ts';
import { checkOf } from './batch/records/check.ts';
import { isUnnamed, type SinkConfig } from './config.ts';
import { ConsumerCrashes } from './kafka/consumer-crashes.ts';
import { consumerTelemetry, gaugeConsumer } from './kafka/consumer-telemetry.ts';
import { groupTrouble } from './kafka/group-health.ts';
import { LagWatch, type LaneOffsets } from './kafka/lag-watch.ts';
import { DedupWindow } from './dedup/dedup-window.ts';
import { DiskOpening } from './spool/disk/disk-opening.ts';
import { DiskSpool, streamsFolder } from './spool/disk/disk-spool.ts';
import { DuckDbEncoder } from './batch/duckdb-encoder.ts';
import { KafkaBatchStrategy } from './kafka/kafka-batch-strategy.ts';
import { publishRecorded } from './batch/publish-recorded.ts';
import { Lane } from './lane/lane.ts';
import { laneRetryDelay } from './lane/lane-retry-delay.ts';
import { Lanes } from './lane/lanes.ts';
import { onDisk } from './spool/disk/on-disk.ts';
import { BatchSteps } from './batch/batch-steps.ts';
import { BatchTraces } from './tracing/batch-traces.ts';
import type { SinkGuards } from './resilience.ts';
import { Registrar } from './batch/registrar.ts';
import { gaugeLanes, sinkTelemetry } from './telemetry.ts';
import { OrphanedBatches } from './spool/orphaned-batches.ts';
import { SpoolBudget } from './spool/budget/spool-budget.ts';
import { SpoolForecast } from './spool/budget/spool-forecast.ts';
import { StoreAdmission } from './aws/store-admission.ts';
import { WindowSnapshots } from './dedup/window-snapshots.ts';

/**
 * Interval in milliseconds at which a sink looks on its disk for batches of dead sinks, and for recorded batches that lanes elsewhere need.
 */
const lookEveryMs = 5000;

/** Interval in milliseconds at which the sink asks Kafka for the end offsets of the partitions. */
const lagEveryMs = 5000;

/** The parts of the running sink of one stream. */
export interface Sink {
  readonly stream: Stream;
  readonly strategy: KafkaBatchStrategy;
  /** The opening of the spool. */
  readonly disk: DiskOpening;
  /** The proof that the store can hold the ledger. */
  readonly admission: StoreAdmission;
  readonly lanes: Lanes;
  readonly budget: SpoolBudget;
  readonly forecast: SpoolForecast;
  /** The records that wait in Kafka. */
  readonly lag: LagWatch;
  /** Why the sink gets no records from its group; undefined when it gets them. */
  readonly groupTrouble: () => string | undefined;
  readonly registrar: Registrar;
  readonly store: S3ObjectStore;
  readonly catalog: GlueCatalog;
  /** Lands the records already taken until the shutdown time is up, then releases every resource. */
  close(): Promise<void>;
}

/**
 * Creates the parts of the sink of one stream. Connects nothing yet. Each stream has its own consumer group, lanes and spool, so that one
 * cannot hold up another.
 *
 * @param stream with the names of the settings
 * @param tracing where the spans of batches begin. Default: tracing is off
 */
export async function openSink(
  config: SinkConfig,
  stream: Stream,
  logger: Logger,
  metrics: Metrics,
  guards: SinkGuards,
  tracing?: Tracing,
): Promise<Sink> {
  const clock = systemClock;
  const writer = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const observe = sinkTelemetry(logger, metrics);
  const patience = laneRetryDelay({ baseMs: config.SINK_RETRY_BASE_MS, waitMsMax: config.SINK_RETRY_WAIT_MS_MAX }, clock, Math.random);

  const spoolBase = resolve(config.SINK_SPOOL_DIR ?? join(config.MILLRACE_HOME, 'spool'));
  const spoolRoot = isUnnamed(stream) ? spoolBase : join(spoolBase, streamsFolder, stream.name);
  const temporaryDirectory = join(spoolRoot, writer, 'encoder');
  const encoder = await DuckDbEncoder.open(stream, {
    memoryMbMax: config.SINK_ENCODER_MEMORY_MB,
    threads: config.SINK_ENCODER_THREADS,
    temporaryDirectory,
    spillMbMax: config.SINK_ENCODER_SPILL_MB_MAX,
  });

  const { s3, glue } = sinkClients(config);
  const root = lakeRoot(config.LAKE_BUCKET, config.LAKE_PREFIX);
  const store = new S3ObjectStore(s3, root, guards.s3);
  const catalog = new GlueCatalog(
    glue,
    stream,
    root,
    guards.glue,
    stream.database,
    isUnnamed(stream) ? config.SINK_CATALOG_TABLE : undefined,
  );
  const registrar = new Registrar(catalog, patience, (error) =>
    logger.warn({ err: error }, 'The catalog did not register partitions; the sink retries.'),
  );

  const budget: SpoolBudget = new SpoolBudget(
    { bytesMax: config.SINK_SPOOL_BYTES_MAX, openSegmentsMax: config.SINK_OPEN_SEGMENTS_MAX },
    () => lanes.room(),
  );
  const orphans = new OrphanedBatches(budget, observe);
  let spool: DiskSpool | undefined;
  const stopping = new AbortController();
  const disk = await DiskOpening.begin(
    async () => {
      spool ??= await DiskSpool.take(spoolRoot, writer, clock);
      await onDisk(async () => await mkdir(temporaryDirectory, { recursive: true }));
      await orphans.fill(spool);
    },
    {
      patience,
      signal: stopping.signal,
      onFailure: (error) =>
        logger.warn({ err: error }, `The sink takes no records until its disk has room, and retries: ${error.message}.`),
    },
  );

  const onLeftover = (error: unknown): void =>
    logger.warn(
      { err: error },
      'The sink could not delete an object under _probes/. The object does no harm; grant the sink s3:DeleteObject there.',
    );
  const admission = new StoreAdmission(
    async (n, signal) =>
      await probeStore({ store, prefix: probesOf(stream.table, writer), n, address: () => store.address, signal, onLeftover }),
    { patience, clock, signal: stopping.signal, onFailure: (error) => logAdmission(logger, error) },
  );
  const telemetry = consumerTelemetry(logger, metrics);
  const crashes = new ConsumerCrashes(
    () => clock.now(),
    (crash) => telemetry.onCrash(crash),
  );
  const groupId = isUnnamed(stream) ? config.SINK_GROUP_ID : `${config.SINK_GROUP_ID}-${stream.name}`;
  const strategy = new KafkaBatchStrategy({
    access: kafkaAccessOf(config),
    clientId: writer,
    topic: stream.topic.name,
    groupId,
    maxMessageBytes: stream.topic.maxMessageBytes,
    metadataMs: config.SINK_KAFKA_METADATA_MS,
    // Without a spool there is no room for records, and without a sound store every row could land twice.
    ready: Promise.all([disk.done, admission.done]).then(() => undefined),
    leaveMsMax: config.SINK_SHUTDOWN_SECONDS * 50,
    guard: guards.kafka,
    log(level, message, fields) {
      logger[level](fields, message);
      // kafkajs retries a join for minutes before it gives up. Until then only its log has the cause.
      if (level === 'warn') crashes.onError(clientErrorOf(message, fields));
    },
  });

  let cluster = '';
  const stepsOf = (partition: number): BatchSteps => {
    const lane: LaneId = { table: stream.table, topic: stream.topic.name, partition };
    return new BatchSteps({
      lane,
      context: { stream, lane, writer, cluster },
      check: checkOf(stream, partition),
      store,
      ledger: new Ledger(store, lane),
      encoder,
      log: strategy.partition(partition),
      registrar,
      snapshots: new WindowSnapshots({
        store,
        lane,
        onFailure: (error) => observe({ type: 'SnapshotFailed', partition, error: error as Error }),
      }),
      checkpoints: new Checkpointer({
        store,
        lane,
        onFailure: (error) =>
          logger.warn({ partition, err: error }, 'The sink could not write a checkpoint; it retries after the next landing.'),
      }),
      patience,
      observe,
      traces: tracing === undefined ? undefined : new BatchTraces(tracing, lane, groupId),
    });
  };
  const newLane = (partition: number): Lane =>
    new Lane(partition, {
      steps: stepsOf(partition),
      window: new DedupWindow(config.SINK_DEDUP_OFFSETS),
      // The group is not joined without it.
      spool: spool!,
      orphans,
      budget,
      clock,
      newId: randomUUID,
      settings: {
        flushBytes: config.SINK_FLUSH_BYTES ?? stream.buffering.flushBytes,
        flushAgeMs: (config.SINK_FLUSH_SECONDS ?? stream.buffering.flushSeconds) * 1000,
      },
    });
  const lanes: Lanes = new Lanes(newLane, budget, orphans);
  const forecast = new SpoolForecast();
  const sampling = setInterval(() => forecast.sample(Date.now(), budget.bytes), 1000);
  gaugeLanes(metrics, lanes, budget, forecast);

  const lag = new LagWatch({
    ends: async () => await strategy.ends(),
    committed: async () => await strategy.committed(),
    lanes: () => new Map(lanes.all.map((lane) => [lane.partition, offsetsOf(lane)])),
    joined: () => strategy.state.joined,
    clock,
    everyMs: lagEveryMs,
    // The consumer reports an unavailable Kafka. Without an answer the last end offsets stay.
    onFailure: (error) => logger.debug({ err: error }, 'Kafka did not return the end offsets of the partitions; the sink asks again.'),
  });
  gaugeConsumer(metrics, lag, () => strategy.state.joined);

  strategy.listener = {
    crashed: (error) => crashes.onCrash(error),
    startRefused: (error) => crashes.onError(error),
    connected(clusterId, topic) {
      cluster = clusterId;
      for (const risk of topicRisks(topic)) logger.warn({ replicas: topic.replicas, settings: topic.settings }, risk);
    },
    assigned(partitions) {
      lanes.assign(partitions);
      telemetry.onJoined();
    },
  };
  lag.start();

  // The lake's setup creates the contract's own table, and a replay may have pointed it elsewhere. Nothing else creates a private one.
  let tableIsThere = !isUnnamed(stream) || stream.table === purchases.table;
  const stopFinishing = repeatEvery(
    lookEveryMs,
    async (signal) => {
      if (admission.passed)
        await lanes.publishOrphans(async (partition, batch) => await publishRecorded(stepsOf(partition), batch, signal));
    },
    (error) => logger.warn({ err: error }, 'The sink could not publish a recorded batch from this disk for a lane elsewhere; it retries.'),
  );
  // Only silence shows that a sink in another container is dead. At the start it may have been too early to know.
  const stopTakingUp = repeatEvery(
    lookEveryMs,
    async () => {
      if (spool !== undefined && disk.failure === undefined) await orphans.fill(spool);
    },
    (error) => logger.warn({ err: error }, 'The sink could not adopt the batches that a dead sink left on this disk; it retries.'),
  );
  const stopReconciling = repeatEvery(
    config.SINK_RECONCILE_SECONDS * 1000,
    async (signal) => {
      if (!tableIsThere) await catalog.ensureTable({ signal });
      tableIsThere = true;
      const missing = await registrar.reconcile(store, stream, signal);
      if (missing.length > 0)
        logger.warn({ missing }, `${missing.length} partitions had files but were missing in the catalog; the sink registers them.`);
    },
    (error) => logger.warn({ err: error }, 'The sink could not compare the catalog with the table; it retries.'),
  );

  return {
    stream,
    strategy,
    disk,
    admission,
    lanes,
    budget,
    forecast,
    lag,
    groupTrouble: () =>
      groupTrouble({ state: strategy.state, crashes, waitsFor: (disk.failure ?? admission.failure)?.message }, clock.now()),
    registrar,
    store,
    catalog,
    async close() {
      stopping.abort(new Error('the sink stops'));
      lag.stop();
      stopReconciling();
      stopFinishing();
      stopTakingUp();
      clearInterval(sampling);
      // The rest of the time is for stopping the lanes, leaving the group, the registrar and the HTTP server.
      const timeIsUp = AbortSignal.timeout(config.SINK_SHUTDOWN_SECONDS * 800);
      await lanes.drain(timeIsUp, AbortSignal.timeout(config.SINK_SHUTDOWN_SECONDS * 900));
      await registrar.drain(timeIsUp);
      registrar.stop();
      encoder.close();
      await spool?.release();
    },
  };
}

/** The offsets of a lane; undefined until it has found its head, because its offsets are 0 until then. */
function offsetsOf({ state, position, landed }: Lane): LaneOffsets | undefined {
  return state.kind === 'running' || position > 0 ? { taken: position, landed } : undefined;
}

function logAdmission(logger: Logger, error: Error): void {
  if (isLakeError(error, 'unsound-store')) logger.error({ err: error }, `The sink takes no records: ${error.message}.`);
  // The guard reports a refusal and its remedy once a minute.
  else
    logger[remedyOfAwsError(error) === undefined ? 'warn' : 'debug'](
      { err: error },
      `The sink joins its group only after S3 has proved that it honours If-None-Match; it retries: ${error.message}.`,
    );
}

function clientErrorOf(message: string, { error }: Record<string, unknown>): Error {
  return new Error(typeof error === 'string' && !message.includes(error) ? `${message}: ${error}` : message);
}

function repeatEvery(everyMs: number, run: (signal: AbortSignal) => Promise<void>, onFailure: (error: unknown) => void): () => void {
  const stopping = new AbortController();
  let working = false;
  const round = (): void => {
    if (working || stopping.signal.aborted) return;
    working = true;
    run(stopping.signal)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) onFailure(error);
      })
      .finally(() => (working = false));
  };
  const first = setTimeout(round, Math.min(1000, everyMs));
  const timer = setInterval(round, everyMs);
  return () => {
    clearTimeout(first);
    clearInterval(timer);
    stopping.abort(new Error('the sink stops'));
  };
}

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { purchases, type Stream } from '@millrace/contracts';
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
} from '@millrace/lake';
import { systemClock } from '@millrace/resilience';
import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import { sinkClients } from './aws-clients.ts';
import { checkOf } from './batch/check.ts';
import type { SinkConfig } from './config.ts';
import { ConsumerCrashes } from './kafka/consumer-crashes.ts';
import { consumerTelemetry, gaugeConsumer } from './kafka/consumer-telemetry.ts';
import { groupTrouble } from './kafka/group-health.ts';
import { LagWatch, type LaneOffsets } from './kafka/lag-watch.ts';
import { DedupWindow } from './dedup/dedup-window.ts';
import { DiskOpening } from './spool/disk-opening.ts';
import { DiskSpool } from './spool/disk-spool.ts';
import { DuckDbEncoder } from './batch/duckdb-encoder.ts';
import { KafkaBatchStrategy } from './kafka/kafka-batch-strategy.ts';
import { publishRecorded } from './batch/publish-recorded.ts';
import { Lane } from './lane/lane.ts';
import { laneRetryDelay } from './lane/lane-retry-delay.ts';
import { Lanes } from './lane/lanes.ts';
import { onDisk } from './spool/on-disk.ts';
import { BatchSteps } from './batch/batch-steps.ts';
import type { SinkGuards } from './resilience.ts';
import { Registrar } from './batch/registrar.ts';
import { gaugeLanes, sinkTelemetry } from './telemetry.ts';
import { OrphanedBatches } from './spool/orphaned-batches.ts';
import { SpoolBudget } from './spool/spool-budget.ts';
import { SpoolForecast } from './spool/spool-forecast.ts';
import { StoreAdmission } from './store-admission.ts';
import { WindowSnapshots } from './dedup/window-snapshots.ts';

/** How often a sink looks for what dead ones left on its disk, and for what lanes elsewhere may miss, in milliseconds. */
const lookEveryMs = 5000;

/** How often Kafka is asked for the ends of the partitions, in milliseconds. */
const lagEveryMs = 5000;

/** The parts of a running sink. */
export interface Sink {
  readonly strategy: KafkaBatchStrategy;
  /** The beginning of the spool. */
  readonly disk: DiskOpening;
  /** The proof that the store can hold a ledger. */
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
  /** Lands what was taken, until the time is up, and lets go of everything. */
  close(): Promise<void>;
}

/** The stream as this process reads it. */
export function streamOf(config: SinkConfig): Stream {
  return { ...purchases, table: config.SINK_TABLE, database: config.LAKE_DATABASE, topic: { ...purchases.topic, name: config.SINK_TOPIC } };
}

/** Puts the sink together. Nothing is connected yet. */
export async function openSink(config: SinkConfig, logger: Logger, metrics: Metrics, guards: SinkGuards): Promise<Sink> {
  const stream = streamOf(config);
  const clock = systemClock;
  const writer = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const observe = sinkTelemetry(logger, metrics);
  const patience = laneRetryDelay({ baseMs: config.SINK_RETRY_BASE_MS, waitMsMax: config.SINK_RETRY_WAIT_MS_MAX }, clock, Math.random);

  const spoolRoot = resolve(config.SINK_SPOOL_DIR ?? join(config.MILLRACE_HOME, 'spool'));
  const temporaryDirectory = join(spoolRoot, writer, 'encoder');
  const encoder = await DuckDbEncoder.open(stream, { memoryMbMax: config.SINK_ENCODER_MEMORY_MB, threads: config.SINK_ENCODER_THREADS, temporaryDirectory, spillMbMax: config.SINK_ENCODER_SPILL_MB_MAX });

  const { s3, glue } = sinkClients(config);
  const store = new S3ObjectStore(s3, config.LAKE_BUCKET, guards.s3);
  const catalog = new GlueCatalog(glue, stream, config.LAKE_BUCKET, guards.glue, stream.database, config.SINK_CATALOG_TABLE);
  const registrar = new Registrar(catalog, patience, (error) => logger.warn({ err: error }, 'The catalog did not register partitions; it is tried again.'));

  const budget: SpoolBudget = new SpoolBudget({ bytesMax: config.SINK_SPOOL_BYTES_MAX, openSegmentsMax: config.SINK_OPEN_SEGMENTS_MAX }, () => lanes.room());
  const orphans = new OrphanedBatches(budget, observe);
  let spool: DiskSpool | undefined;
  const stopping = new AbortController();
  const disk = await DiskOpening.begin(
    async () => {
      spool ??= await DiskSpool.take(spoolRoot, writer, clock);
      await onDisk(async () => await mkdir(temporaryDirectory, { recursive: true }));
      await orphans.fill(spool);
    },
    { patience, signal: stopping.signal, onFailure: (error) => logger.warn({ err: error }, `The sink takes nothing before its disk has room; it looks again: ${error.message}.`) },
  );

  const onLeftover = (error: unknown): void => logger.warn({ err: error }, 'An object under _probes/ could not be deleted. It does no harm; the sink needs s3:DeleteObject there.');
  const admission = new StoreAdmission(
    async (n, signal) => await probeStore({ store, prefix: probesOf(stream.table, writer), n, address: () => store.address, signal, onLeftover }),
    { patience, clock, signal: stopping.signal, onFailure: (error) => logAdmission(logger, error) },
  );
  const telemetry = consumerTelemetry(logger, metrics);
  const crashes = new ConsumerCrashes(() => clock.now(), (crash) => telemetry.onCrash(crash));
  const strategy = new KafkaBatchStrategy({
    brokers: config.KAFKA_BROKERS,
    clientId: writer,
    topic: stream.topic.name,
    groupId: config.SINK_GROUP_ID,
    maxMessageBytes: stream.topic.maxMessageBytes,
    // Without a spool there is no room for records, and without a sound store every row could land twice.
    ready: Promise.all([disk.done, admission.done]).then(() => undefined),
    leaveMsMax: config.SINK_SHUTDOWN_SECONDS * 50,
    guard: guards.kafka,
    log(level, message, fields) {
      logger[level](fields, message);
      // kafkajs tries for minutes before it gives a join up: until then only its log has the cause.
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
      snapshots: new WindowSnapshots({ store, lane, onFailure: (error) => observe({ type: 'SnapshotFailed', partition, error: error as Error }) }),
      checkpoints: new Checkpointer({ store, lane, onFailure: (error) => logger.warn({ partition, err: error }, 'A checkpoint could not be written; it is tried again.') }),
      patience,
      observe,
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
      settings: { flushBytes: config.SINK_FLUSH_BYTES, flushAgeMs: config.SINK_FLUSH_SECONDS * 1000 },
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
    // A Kafka that is away is reported by the consumer; without an answer the last ends stay.
    onFailure: (error) => logger.debug({ err: error }, 'Kafka did not tell the ends of the partitions; it is asked again.'),
  });
  gaugeConsumer(metrics, lag, () => strategy.state.joined);

  strategy.listener = {
    crashed: (error) => crashes.onCrash(error),
    startRefused: (error) => crashes.onError(error),
    connected(clusterId, retention) {
      cluster = clusterId;
      if (Object.values(retention).some((value) => value !== '-1')) {
        logger.warn({ retention }, `The topic ${stream.topic.name} does not keep every event; it is the source of truth and should have retention.ms=-1 and retention.bytes=-1.`);
      }
    },
    assigned(partitions) {
      lanes.assign(partitions);
      telemetry.onJoined();
    },
  };
  lag.start();

  // The contract's own table is set up with the lake, and a replay may have pointed it elsewhere; a private one is nobody else's.
  let tableIsThere = stream.table === purchases.table;
  const stopFinishing = repeatEvery(lookEveryMs, async (signal) => {
    if (admission.passed) await lanes.publishOrphans(async (partition, batch) => await publishRecorded(stepsOf(partition), batch, signal));
  }, (error) => logger.warn({ err: error }, 'A recorded batch on this disk could not be published for its lane elsewhere; it is tried again.'));
  // Of a sink in another container only its silence tells that it is dead: it may have been too early to say at the start.
  const stopTakingUp = repeatEvery(lookEveryMs, async () => {
    if (spool !== undefined && disk.failure === undefined) await orphans.fill(spool);
  }, (error) => logger.warn({ err: error }, 'What a dead sink left on this disk could not be taken up; it is tried again.'));
  const stopReconciling = repeatEvery(config.SINK_RECONCILE_SECONDS * 1000, async (signal) => {
    if (!tableIsThere) await catalog.ensureTable({ signal });
    tableIsThere = true;
    const missing = await registrar.reconcile(store, stream, signal);
    if (missing.length > 0) logger.warn({ missing }, `${missing.length} partitions had files and were missing in the catalog.`);
  }, (error) => logger.warn({ err: error }, 'The catalog could not be compared with the table; it is tried again.'));

  return {
    strategy,
    disk,
    admission,
    lanes,
    budget,
    forecast,
    lag,
    groupTrouble: () => groupTrouble({ state: strategy.state, crashes, waitsFor: (disk.failure ?? admission.failure)?.message }, clock.now()),
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
      // Some of the time is left for the lanes to let go, for the group, the registrar and the HTTP server.
      const timeIsUp = AbortSignal.timeout(config.SINK_SHUTDOWN_SECONDS * 800);
      await lanes.drain(timeIsUp, AbortSignal.timeout(config.SINK_SHUTDOWN_SECONDS * 900));
      await registrar.drain(timeIsUp);
      registrar.stop();
      encoder.close();
      await spool?.release();
    },
  };
}

/** How far a lane is; undefined while it has not found its head, for its offsets are 0 then. */
function offsetsOf({ state, position, landed }: Lane): LaneOffsets | undefined {
  return state.kind === 'running' || position > 0 ? { taken: position, landed } : undefined;
}

function logAdmission(logger: Logger, error: Error): void {
  if (isLakeError(error, 'unsound-store')) logger.error({ err: error }, `The sink takes no records: ${error.message}.`);
  // The guard reports a refusal once a minute, with what to do.
  else logger[remedyOfAwsError(error) === undefined ? 'warn' : 'debug']({ err: error }, `The sink joins its group when S3 has shown that it honours If-None-Match; it tries again: ${error.message}.`);
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

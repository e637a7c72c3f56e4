import { isLakeError, remedyOfAwsError } from '@millrace/lake';
import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { Lane } from './lane/lane.ts';
import type { Lanes } from './lane/lanes.ts';
import { spoolView } from './lane/lanes.ts';
import type { SinkEvent, SinkObserver } from './sink-events.ts';
import type { SpoolBudget } from './spool/budget/spool-budget.ts';
import type { SpoolForecast } from './spool/budget/spool-forecast.ts';
import { undecodableText } from './batch/records/undecodable-records.ts';

/** Turns the sink's events into log lines and metrics. */
export function sinkTelemetry(logger: Logger, metrics: Metrics): SinkObserver {
  const records = metrics.counter({
    name: 'millrace_sink_records_total',
    help: 'Records taken from the topic, by result of the check.',
    labelNames: ['result'],
  });
  const bytes = metrics.counter({ name: 'millrace_sink_segment_bytes_total', help: 'Raw bytes appended to segments.' });
  const batches = metrics.counter({
    name: 'millrace_sink_batches_total',
    help: 'Batches by state: sealed or landed.',
    labelNames: ['state'],
  });
  const rows = metrics.counter({ name: 'millrace_sink_rows_landed_total', help: 'Rows landed in the table.' });
  const parquetBytes = metrics.counter({ name: 'millrace_sink_parquet_bytes_total', help: 'Bytes of Parquet landed.' });
  const age = metrics.histogram({
    name: 'millrace_sink_batch_age_seconds',
    help: 'Age of the oldest event of a batch when it landed.',
    buckets: [1, 2, 5, 10, 20, 40, 60, 90, 120, 300, 600, 1800],
  });
  const failures = metrics.counter({
    name: 'millrace_sink_step_failures_total',
    help: 'Failed attempts of a step. The sink retries each one.',
    labelNames: ['step'],
  });
  const races = metrics.counter({ name: 'millrace_sink_races_lost_total', help: 'Offsets that another writer recorded first.' });
  const gaps = metrics.counter({ name: 'millrace_sink_gap_offsets_total', help: 'Offsets that left the topic before the sink read them.' });
  const corrupt = metrics.counter({
    name: 'millrace_sink_spool_corrupt_total',
    help: 'Batches in the spool that did not match their checksums.',
  });

  let snapshotRefused = false;

  const sentences: { readonly [T in SinkEvent['type']]: (event: Extract<SinkEvent, { type: T }>) => void } = {
    LaneStarted: (event) => logger.info(event, `Partition ${event.partition} continues at offset ${event.position}.`),
    LaneStopped: (event) => logger.info(event, `Partition ${event.partition} stopped: ${event.reason}.`),
    LaneRefused: ({ error, ...event }) =>
      logger.error({ ...event, err: error }, `Partition ${event.partition} is refused: ${error.message}.`),
    RecordsTaken: (event) => {
      records.inc({ result: 'row' }, event.rows);
      records.inc({ result: 'reject' }, event.rejects);
      records.inc({ result: 'duplicate' }, event.duplicates);
      bytes.inc(event.bytes);
      if (event.rejects > 0)
        logger.warn(event, `${event.rejects} records of partition ${event.partition} failed validation; the reject file keeps them.`);
    },
    BatchSealed: (event) => {
      batches.inc({ state: 'sealed' });
      logger.debug(event, `Sealed [${event.from}, ${event.to}) of partition ${event.partition}.`);
    },
    BatchLanded: (event) => {
      batches.inc({ state: 'landed' });
      rows.inc(event.rows);
      parquetBytes.inc(event.bytes);
      age.observe(event.ageMs / 1000);
      logger.info(event, `Landed ${event.rows} rows of [${event.from}, ${event.to}) of partition ${event.partition}.`);
    },
    BatchUndecodable: (event) => {
      const remedy =
        event.to === undefined
          ? 'Its end is unknown; docs/operations.md gives the remedy'
          : `To inspect or skip it, run ./millrace repair --undecodable --partition ${event.partition} --offset ${event.from}`;
      logger.error(event, `Partition ${event.partition} waits: ${undecodableText(event)}. ${remedy}.`);
    },
    UndecodablePassed: (event) =>
      logger.error(
        event,
        `Offsets [${event.from}, ${event.to}) of partition ${event.partition} cannot be decoded. With an operator's permission, the sink keeps them as rejects.`,
      ),
    GapRecorded: (event) => {
      gaps.inc(event.to - event.from);
      logger.error(
        event,
        `Offsets [${event.from}, ${event.to}) of partition ${event.partition} left the topic before the sink read them. Their events are lost to the table; the ledger records a gap.`,
      );
    },
    RaceLost: (event) => {
      races.inc();
      logger.warn(
        event,
        `Another writer recorded offset ${event.from} of partition ${event.partition} first; the lane continues at the end of that entry.`,
      );
    },
    SpoolAdopted: (event) =>
      logger.info(event, `Took ${event.batches} batches of partition ${event.partition} up to offset ${event.to} from the spool.`),
    SpoolCorrupt: ({ error, ...event }) => {
      corrupt.inc();
      logger.warn(
        { ...event, err: error },
        `A batch of partition ${event.partition} in the spool is corrupt: ${error.message}. The sink sets it aside and reads its events from Kafka again.`,
      );
    },
    StagedAgain: ({ error, ...event }) =>
      logger.warn(
        { ...event, err: error },
        `Staged files of a batch of partition ${event.partition} were missing; the sink stages them again from disk.`,
      ),
    SnapshotFailed: ({ error, ...event }) => {
      // If S3 is only unavailable, the other steps report it. A refusal does not pass, and it is the same for every lane.
      if (snapshotRefused || !isLakeError(error, 'denied')) return;
      snapshotRefused = true;
      logger.warn(
        { ...event, err: error },
        `S3 refuses to write or to delete under _windows/: ${error.message}. Starts read more files, or old snapshots pile up. Grant the sink s3:PutObject and s3:DeleteObject there. The sink logs this only once.`,
      );
    },
    PartitionPaused: (event) => logger.debug(event, `Partition ${event.partition} is paused: ${event.reason}.`),
    PartitionResumed: (event) => logger.debug(event, `Partition ${event.partition} is fetched again.`),
    StepFailed: ({ error, ...event }) => {
      failures.inc({ step: event.step });
      // The guard reports a refusal and its remedy once a minute. Every lane meets the same refusal at every attempt.
      const level = remedyOfAwsError(error) === undefined ? 'warn' : 'debug';
      logger[level](
        { ...event, err: error },
        `The step "${event.step}" of partition ${event.partition} failed and will be retried: ${error.message}.`,
      );
    },
  };
  return (event) => (sentences[event.type] as (event: SinkEvent) => void)(event);
}

const laneStates = ['running', 'starting', 'refused', 'held'] as const;

function stateOf({ state, holds }: Lane): (typeof laneStates)[number] | 'stopped' {
  return state.kind === 'running' && holds.length > 0 ? 'held' : state.kind;
}

/** Gauges read when they are scraped. */
export function gaugeLanes(metrics: Metrics, lanes: Lanes, budget: SpoolBudget, forecast: SpoolForecast): void {
  metrics.observe('millrace_sink_spool_bytes', 'Bytes that wait on disk.', () => budget.bytes);
  metrics.observe('millrace_sink_spool_bytes_max', 'Limit of the bytes that may wait on disk.', () => budget.limits.bytesMax);
  metrics.observe(
    'millrace_sink_spool_full_in_seconds',
    'Time until the spool is full at the rate of the last minute; 0 while it is full, infinite while it does not grow.',
    () => forecast.msToFull(budget) / 1000,
  );
  metrics.observe('millrace_sink_spool_batches', 'Batches sealed and not landed.', () => spoolView(lanes, budget).batches);
  metrics.observe(
    'millrace_sink_spool_oldest_age_seconds',
    'Age of the oldest event that has not landed.',
    () => spoolView(lanes, budget).oldestAgeMs / 1000,
  );
  metrics.observe('millrace_sink_open_segments', 'Open segments over all lanes.', () => budget.openSegments);
  metrics.observe(
    'millrace_sink_open_segments_max',
    'Open segments at which the largest open batch is sealed.',
    () => budget.limits.openSegmentsMax,
  );
  const states = metrics.gauge({
    name: 'millrace_sink_lanes',
    help: 'Lanes by state: running; starting, until they have found their head; refused, until an operator helps; held, while the spool or its disk is full, a batch cannot be decoded, or the process stops.',
    labelNames: ['state'],
    collect() {
      for (const state of laneStates) states.set({ state }, lanes.all.filter((lane) => stateOf(lane) === state).length);
    },
  });
  const position = metrics.gauge({
    name: 'millrace_sink_lane_offset',
    help: 'Offset of a lane by stage: taken or landed.',
    labelNames: ['partition', 'stage'],
    collect() {
      position.reset();
      for (const lane of lanes.all) {
        position.set({ partition: lane.partition, stage: 'taken' }, lane.position);
        position.set({ partition: lane.partition, stage: 'landed' }, lane.landed);
      }
    },
  });
}

import { purchases } from '@millrace/contracts';
import type { Admin } from 'kafkajs';
import { OperationError } from '../errors.ts';
import { logRanges, withAdmin } from '../kafka/kafka-log.ts';
import { Duck } from '../lake/duck.ts';
import { landedEnds } from '../lake/landed-ends.ts';
import { openLake } from '../lake/open-lake.ts';
import { counted } from '../numbers.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';
import type { Target } from '../target.ts';
import { compareTables, type ComparedRange, type Comparison } from './compare-tables.ts';
import { rebuild } from './rebuild.ts';
import { offsetsOf, planReplay, type PartitionPlan } from './replay-plan.ts';
import type { SinkProgram } from './replay-sink.ts';
import { refuseRunningSinks, switchTable } from './switch-table.ts';

/** Result of a replay. */
export interface ReplayReport extends Comparison {
  readonly v: 1;
  /** Prefix of the live table in the bucket. */
  readonly table: string;
  /** Prefix of the rebuilt table in the bucket. */
  readonly replay: string;
  readonly topic: string;
  /** Start of the replayed part, as the time at which Kafka took the events. Absent: from the start of the topic. */
  readonly from?: string;
  /** End of the replayed part. Absent: to the end of the topic. */
  readonly to?: string;
  /** The compared offsets [from, to). Below `low` the log has no records. */
  readonly partitions: readonly ComparedRange[];
  readonly comparedOffsets: number;
  /** Number of offsets that retention removed before the replay. */
  readonly notReplayableOffsets: number;
  /** Whether no row differs. */
  readonly equal: boolean;
  /** Whether the catalog points at the replay now. */
  readonly switched: boolean;
  readonly tookMs: number;
}

/** Options of {@link replayTable}. */
export interface ReplayOptions extends OperationOptions<'plan' | 'rebuild' | 'compare' | 'switch'> {
  /** Prefix of the table to write. An existing one is continued. */
  readonly into: string;
  readonly sink: SinkProgram;
  /** Consumer group of the sinks that write the live table. */
  readonly sinkGroupId: string;
  /** Replays the events that Kafka took from this time on. Default: from the start of the topic. */
  readonly from?: Date | undefined;
  /** Replays the events that Kafka took before this time. Default: to the end of the topic. */
  readonly to?: Date | undefined;
  /** Points the catalog at the replay when it is equal and complete. Takes no `from` and no `to`. Default: false. */
  readonly switchCatalog?: boolean;
  /** Points the catalog at the replay also when rows differ or cannot be replayed. Default: false. */
  readonly force?: boolean;
}

/**
 * Rebuilds a table from the topic with the sink and compares it with the live one.
 *
 * @throws OperationError `invalid-argument` when `into` is the live table or a part is to be switched; `not-found` when the part has no event;
 * `conflict` when a sink runs before a switch; `unfinished` when the rebuild stopped; `unavailable` when Kafka or DuckDB cannot be reached
 */
export async function replayTable(live: Target, options: ReplayOptions): Promise<ReplayReport> {
  const { into, sink, sinkGroupId, from, to, switchCatalog = false, force = false, signal, onProgress } = options;
  const started = performance.now();
  const { lake, kafka } = live;
  if (switchCatalog && (from !== undefined || to !== undefined)) {
    throw new OperationError('invalid-argument', 'A part of the table cannot replace all of it: --switch takes no --from and no --to.');
  }
  if (lake.stream.name !== purchases.name)
    throw new OperationError(
      'invalid-argument',
      `A replay of the stream ${lake.stream.name} is not supported: only ${purchases.name} can be replayed.`,
    );
  const replay = openLake({ ...lake.settings, table: into });
  try {
    if (into === lake.stream.table)
      throw new OperationError('invalid-argument', `${into} is the live table: a replay is written beside it.`);
    if (switchCatalog) await refuseRunningSinks(kafka, sinkGroupId);
    beginPhase(onProgress, 'plan');
    const plan = await withAdmin(kafka, async (admin) => await readPlan(admin, live, from, to));
    if (offsetsOf(plan) === 0) {
      const part = from === undefined && to === undefined ? '' : ' of that time';
      throw new OperationError('not-found', `${lake.stream.topic.name} has no event${part}: there is nothing to replay.`);
    }
    await rebuild(replay, plan, { kafka, sink, signal, note: beginPhase(onProgress, 'rebuild') });
    const note = beginPhase(onProgress, 'compare');
    const ends = await landedEnds(lake, signal);
    const partitions = plan.map(({ partition, low, from: first, to: last }): ComparedRange => ({
      partition,
      low,
      from: first,
      to: Math.max(first, Math.min(last, ends.get(partition)?.landed ?? 0)),
    }));
    const comparison = await compare(live, replay, partitions, signal, note);
    const equal = comparison.differing === 0;
    const switched = switchCatalog && (force || (equal && comparison.notReplayable === 0));
    if (switched) {
      await refuseRunningSinks(kafka, sinkGroupId);
      const noteSwitch = beginPhase(onProgress, 'switch');
      noteSwitch(counted((await switchTable(replay, signal)).length, 'partition'));
    }
    return {
      v: 1,
      table: lake.stream.table,
      replay: into,
      topic: lake.stream.topic.name,
      ...(from === undefined ? {} : { from: from.toISOString() }),
      ...(to === undefined ? {} : { to: to.toISOString() }),
      partitions,
      comparedOffsets: partitions.reduce((sum, range) => sum + (range.to - range.from), 0),
      notReplayableOffsets: partitions.reduce((sum, { low }) => sum + low, 0),
      equal,
      switched,
      ...comparison,
      tookMs: Math.round(performance.now() - started),
    };
  } finally {
    replay.close();
  }
}

async function readPlan(
  admin: Admin,
  { lake, dedupOffsets }: Target,
  from: Date | undefined,
  to: Date | undefined,
): Promise<PartitionPlan[]> {
  const topic = lake.stream.topic.name;
  const offsetsAt = async (time: Date | undefined): Promise<ReadonlyMap<number, number> | undefined> =>
    time === undefined
      ? undefined
      : new Map(
          (await admin.fetchTopicOffsetsByTimestamp(topic, time.getTime())).map(({ partition, offset }) => [partition, Number(offset)]),
        );
  return planReplay({ log: await logRanges(admin, topic), starts: await offsetsAt(from), ends: await offsetsAt(to), dedupOffsets });
}

async function compare(
  live: Target,
  replay: ReturnType<typeof openLake>,
  ranges: readonly ComparedRange[],
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<Comparison> {
  const duck = await Duck.openFor(live);
  try {
    return await compareTables({ live: live.lake, replay, ranges, duck, signal, note });
  } finally {
    duck.close();
  }
}

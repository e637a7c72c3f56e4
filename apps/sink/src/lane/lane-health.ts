import type { PartitionLag } from '../kafka/lag-watch.ts';
import type { Lane } from './lane.ts';
import { spoolView } from './lanes.ts';
import type { Sink } from '../sink.ts';

// A starting lane reads its head and its window, and lands the batches that it finds.
const startingMsMax = 15_000;

/** Time in milliseconds for which a partition may take none of its waiting records. A rebalance takes less. */
const stalledMsMax = 60_000;

// More partitions would only repeat the cause.
const namedMax = 8;

/** The parts of a sink that determine the health of its lanes. */
export type LaneHealthParts = Pick<Sink, 'lanes' | 'budget' | 'forecast' | 'lag' | 'groupTrouble'>;

/**
 * Reports the state of the lanes and the fill level of the spool. The spool matters most when the lanes do nothing.
 *
 * @throws Error when a lane does no work
 */
export function laneHealth(sink: LaneHealthParts): string {
  const trouble = troubleOf(sink);
  const spool = spoolText(sink);
  if (trouble !== undefined) throw new Error(`${trouble}; ${spool}`);
  return spool;
}

function troubleOf(sink: LaneHealthParts): string | undefined {
  const { lanes } = sink;
  const [refused] = lanes.refused;
  if (refused !== undefined) return refused.error.message;
  const [undecodable] = lanes.all.flatMap((lane) =>
    lane.undecodable === undefined ? [] : [`partition ${lane.partition}: ${lane.undecodable.text}`],
  );
  if (undecodable !== undefined) return undecodable;
  const waiting = lanes.all.filter(({ startingMs }) => startingMs > startingMsMax);
  const waitedMs = Math.max(0, ...waiting.map(({ startingMs }) => startingMs));
  if (waiting.length > 0) return `${waiting.length} lanes have waited for ${Math.round(waitedMs / 1000)} s for the head of their ledger`;
  const held = lanes.all.filter(({ holds }) => holds.includes('disk'));
  const partitions = held.map(({ partition }) => partition).join(', ');
  if (held.length > 0) return `the disk of the spool accepts no writes from ${held.length} lanes (partitions ${partitions}); they wait`;
  return stallText(sink);
}

/** Names each partition that takes none of its waiting records, with the cause. A full spool is not a fault: Kafka is the queue then. */
function stallText({ lanes, lag, groupTrouble }: LaneHealthParts): string | undefined {
  const laneOf = new Map(lanes.all.map((lane) => [lane.partition, lane]));
  const isQueue = (partition: number): boolean => laneOf.get(partition)?.holds.includes('pressure') === true;
  const stalled = lag.all.filter(({ partition, stalledMs }) => stalledMs > stalledMsMax && !isQueue(partition));
  if (stalled.length === 0) return undefined;
  const trouble = groupTrouble();
  const named = stalled.slice(0, namedMax).map((one) => `${stalledText(one)}: ${causeOf(laneOf.get(one.partition), trouble)}`);
  const more = stalled.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more partitions stall too`] : [])].join('; ');
}

function stalledText({ partition, end, taken, stalledMs }: PartitionLag): string {
  return `partition ${partition} has taken nothing for ${Math.round(stalledMs / 1000)} s while ${end - taken} records wait`;
}

function causeOf(lane: Lane | undefined, groupTrouble: string | undefined): string {
  if (groupTrouble !== undefined) return groupTrouble;
  if (lane !== undefined && lane.holds.length > 0) return `the lane is held (${lane.holds.join(', ')})`;
  return `Kafka gives no record from offset ${lane?.position ?? 0} on: the broker does not answer, or a producer left a transaction open`;
}

function spoolText({ lanes, budget, forecast }: Pick<Sink, 'lanes' | 'budget' | 'forecast'>): string {
  const { batches, bytes, bytesMax, oldestAgeMs } = spoolView(lanes, budget);
  const fullInMs = forecast.msToFull(budget);
  const soon = Number.isFinite(fullInMs) ? `; full in ${Math.round(fullInMs / 1000)} s at this rate` : '';
  const full = budget.full ? '; it is full, and Kafka is the queue' : soon;
  return (
    `${lanes.all.length} lanes, ${batches} batches and ${bytes} of ${bytesMax} bytes in the spool, ` +
    `the oldest ${Math.round(oldestAgeMs / 1000)} s old${full}`
  );
}

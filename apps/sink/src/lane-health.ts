import { spoolView } from './lanes.ts';
import type { Sink } from './sink.ts';

// A lane that begins reads its head and its window, and lands what it finds.
const startingMsMax = 15_000;

/**
 * How the lanes do, and where the spool stands: of that there is most to tell when they do nothing.
 *
 * @throws Error when a lane does no work
 */
export function laneHealth(sink: Pick<Sink, 'lanes' | 'budget' | 'forecast'>): string {
  const trouble = troubleOf(sink);
  const spool = spoolText(sink);
  if (trouble !== undefined) throw new Error(`${trouble}; ${spool}`);
  return spool;
}

function troubleOf({ lanes }: Pick<Sink, 'lanes'>): string | undefined {
  const [refused] = lanes.refused;
  if (refused !== undefined) return refused.error.message;
  const [undecodable] = lanes.all.flatMap((lane) => (lane.undecodable === undefined ? [] : [`partition ${lane.partition}: ${lane.undecodable.text}`]));
  if (undecodable !== undefined) return undecodable;
  const waiting = lanes.all.filter(({ startingMs }) => startingMs > startingMsMax);
  if (waiting.length > 0) return `${waiting.length} lanes have waited for ${Math.round(Math.max(...waiting.map(({ startingMs }) => startingMs)) / 1000)} s to be told the head of their ledger`;
  const held = lanes.all.filter(({ holds }) => holds.includes('disk'));
  if (held.length > 0) return `the disk of the spool takes nothing from ${held.length} lanes (partitions ${held.map(({ partition }) => partition).join(', ')}); they wait for it`;
  return undefined;
}

function spoolText({ lanes, budget, forecast }: Pick<Sink, 'lanes' | 'budget' | 'forecast'>): string {
  const { batches, bytes, bytesMax, oldestAgeMs } = spoolView(lanes, budget);
  const fullInMs = forecast.msToFull(budget);
  const full = budget.full ? '; it is full, and Kafka is the queue' : Number.isFinite(fullInMs) ? `; full in ${Math.round(fullInMs / 1000)} s at this rate` : '';
  return `${lanes.all.length} lanes, ${batches} batches and ${bytes} of ${bytesMax} bytes in the spool, the oldest ${Math.round(oldestAgeMs / 1000)} s old${full}`;
}

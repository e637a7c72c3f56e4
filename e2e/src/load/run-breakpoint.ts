import { findCapacity, type Capacity, type SearchOptions } from './breakpoint.ts';
import { streamNames, type StreamName } from './generator/load-phase.ts';
import type { LoadContext, ProfileFindings } from './load-context.ts';
import { largestRate } from './measure/service-samples.ts';
import { judge } from './measure/threshold.ts';

const firstRates: Readonly<Record<StreamName, number>> = { purchase: 200, batch: 8, query: 8 };

/** Finds the capacity of the purchase API for purchases and batches, of the query API, and of the sink. */
export async function runBreakpoint(context: LoadContext, stepSeconds: number): Promise<ProfileFindings> {
  const capacities = await findCapacities(context, { stepSeconds, refinements: 3 });
  // The sink has a backlog after the steps, and lands it at its full speed.
  const landed = largestRate(context.samples.series['sink']?.rowsLanded ?? [], 5);
  return {
    capacities,
    judged: [
      ...capacities.map(({ stream, perSecond }) => judge(`capacity: ${stream} requests a second`, perSecond, { atLeast: 1 })),
      judge('capacity: rows a second that the sink landed over 5 s', landed === undefined ? undefined : Math.round(landed), { atLeast: 1 }),
    ],
  };
}

/** Finds the capacity of each stream, one after the other. */
export async function findCapacities(
  { run, tell }: Pick<LoadContext, 'run' | 'tell'>,
  options: Pick<SearchOptions, 'stepSeconds' | 'refinements'>,
): Promise<Capacity[]> {
  const found: Capacity[] = [];
  for (const stream of streamNames) {
    const capacity = await findCapacity({ ...options, stream, from: firstRates[stream] }, run);
    tell(`The capacity of ${stream} is ${Math.round(capacity.perSecond)} requests a second.`);
    found.push(capacity);
  }
  return found;
}

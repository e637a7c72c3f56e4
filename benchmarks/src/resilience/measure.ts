import { median } from '../report/figures.ts';

/** Makes `n` calls, one after the other. */
export type Calls = (n: number) => Promise<void>;

/** One measured subject. */
export interface Subject {
  readonly name: string;
  readonly calls: Calls;
}

/** Cost of one subject in nanoseconds of processor time per call. */
export interface Cost {
  readonly medianNs: number;
  readonly minNs: number;
  /** Cost in each round, to compare subjects within a round. */
  readonly roundsNs: readonly number[];
}

/**
 * Measures the subjects in turn, round by round, so other load affects all of them equally. It measures processor time, so other
 * processes on the same cores do not count. It forces no garbage collection between rounds, because a full one discards the feedback of
 * compiled code, which a service would keep.
 */
export async function measure(
  subjects: readonly Subject[],
  { rounds, calls }: { readonly rounds: number; readonly calls: number },
): Promise<ReadonlyMap<string, Cost>> {
  const roundsNs = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (const subject of subjects) await subject.calls(calls);
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      const before = process.cpuUsage();
      await subject.calls(calls);
      const { user, system } = process.cpuUsage(before);
      roundsNs.get(subject.name)!.push(((user + system) * 1000) / calls);
    }
  }
  return new Map([...roundsNs].map(([name, values]) => [name, { medianNs: median(values), minNs: Math.min(...values), roundsNs: values }]));
}

/** Ratio of the costs of two subjects: the median over the rounds. */
export function ratioOf(costs: ReadonlyMap<string, Cost>, subject: string, reference: string): number {
  const references = costs.get(reference)!.roundsNs;
  return median(costs.get(subject)!.roundsNs.map((ns, round) => ns / references[round]!));
}

/** Bytes that each call allocates: the median of several runs. Each run is short enough to fit between two collections. */
export async function allocatedBytes({ calls }: Subject): Promise<number> {
  const n = 2000;
  await calls(n);
  const samples: number[] = [];
  for (let run = 0; run < 9; run += 1) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    await calls(n);
    samples.push((process.memoryUsage().heapUsed - before) / n);
  }
  return median(samples);
}

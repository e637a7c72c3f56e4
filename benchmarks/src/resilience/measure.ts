/** Does `n` calls, one after the other. */
export type Calls = (n: number) => Promise<void>;

/** One thing that is measured. */
export interface Subject {
  readonly name: string;
  readonly calls: Calls;
}

/** What one subject cost, in nanoseconds of processor time for each call. */
export interface Cost {
  readonly medianNs: number;
  readonly minNs: number;
  /** Of each round, for comparing subjects within a round. */
  readonly roundsNs: readonly number[];
}

/**
 * Measures subjects in turn, round by round, so that what else the machine does falls on all of them alike. Processor time, not time of day:
 * other processes on the same cores do not count. No collection is forced between rounds: a full one throws compiled code's feedback away, which is not how a service runs.
 */
export async function measure(subjects: readonly Subject[], { rounds, calls }: { readonly rounds: number; readonly calls: number }): Promise<ReadonlyMap<string, Cost>> {
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

/** How many times as much one subject costs as another: the median of the rounds' ratios. */
export function ratioOf(costs: ReadonlyMap<string, Cost>, subject: string, reference: string): number {
  const references = costs.get(reference)!.roundsNs;
  return median(costs.get(subject)!.roundsNs.map((ns, round) => ns / references[round]!));
}

/** Bytes allocated for each call. The runs are short enough to fit between two collections; the smallest of several is reported. */
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

/** Middle of the values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

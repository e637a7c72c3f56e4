/** A data file that compaction may replace. */
export interface SmallFile {
  readonly uri: string;
  /** Location of the manifest that holds it. */
  readonly manifest: string;
  readonly dt: string;
  /** How often its rows were rewritten: 0 for a file of the base. */
  readonly generation: number;
  readonly bytes: number;
  readonly rows: number;
}

/** Limits of compaction. */
export interface CompactionLimits {
  /** Files of one generation from which they are merged into one file of the next; ≥ 2. Default 16. */
  readonly filesMin: number;
  /** Bytes of the files that one pass merges, at most; the size of the largest compacted files. A file of half of it is never merged. Default 256 MiB. */
  readonly targetBytes: number;
  /** Maximum number of files that one pass merges; ≥ `filesMin`. Default 1000. */
  readonly filesMax: number;
}

/** The usual limits: files of 128 to 256 MiB where a day has enough rows. */
export const defaultCompaction: CompactionLimits = { filesMin: 16, targetBytes: 256 * 1024 * 1024, filesMax: 1000 };

/** No row is rewritten more often. */
export const generationMax = 3;

/** One pass: files of one day that become one file. */
export interface CompactionPlan {
  readonly dt: string;
  readonly inputs: readonly SmallFile[];
  /** Generation of the new file. */
  readonly generation: number;
}

/** Whether compaction may replace a file. */
export function isSmall({ generation, bytes }: Pick<SmallFile, 'generation' | 'bytes'>, { targetBytes }: CompactionLimits): boolean {
  return generation < generationMax && bytes < targetBytes / 2;
}

/**
 * Chooses the next pass: the day with the most files in a full generation. A generation is full at `filesMin` files, or at `targetBytes`. The
 * pass merges its files and those of the generations below into one file of the next generation. So a day keeps fewer than `filesMin` files of
 * each generation below the last, and no row is rewritten more than {@link generationMax} times.
 */
export function planCompaction(files: Iterable<SmallFile>, limits: CompactionLimits): CompactionPlan | undefined {
  let best: CompactionPlan | undefined;
  for (const [dt, some] of Map.groupBy(files, (file) => file.dt)) {
    const plan = planOf(dt, some, limits);
    if (plan !== undefined && plan.inputs.length > (best?.inputs.length ?? 0)) best = plan;
  }
  return best;
}

function planOf(dt: string, files: readonly SmallFile[], limits: CompactionLimits): CompactionPlan | undefined {
  const small = files.filter((file) => isSmall(file, limits));
  for (let generation = generationMax - 1; generation >= 0; generation -= 1) {
    const full = small.filter((file) => file.generation === generation);
    if (full.length < 2 || (full.length < limits.filesMin && bytesOf(full) < limits.targetBytes)) continue;
    // The oldest rewrites first: a limit must not leave the files behind that made the generation full.
    const merging = small
      .filter((file) => file.generation <= generation)
      .toSorted((a, b) => b.generation - a.generation || (a.uri < b.uri ? -1 : 1));
    const inputs: SmallFile[] = [];
    let bytes = 0;
    for (const file of merging) {
      if (inputs.length >= 2 && (bytes + file.bytes > limits.targetBytes || inputs.length >= limits.filesMax)) break;
      inputs.push(file);
      bytes += file.bytes;
    }
    return { dt, inputs, generation: generation + 1 };
  }
  return undefined;
}

function bytesOf(files: readonly SmallFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A range of offsets as an entry writes it, [from, to). */
type Range = readonly [from: number, to: number];

/** The part of a ledger entry that the judge reads. It deliberately differs from the sink's type. */
export interface JudgedEntry {
  readonly key: string;
  readonly id: string;
  readonly prev: string | null;
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly rejected: readonly Range[];
  readonly dropped: readonly Range[];
  readonly absent: readonly Range[];
  readonly files: readonly { readonly key: string; readonly rows: number; readonly bytes: number; readonly sha256: string }[];
  readonly rejects?: { readonly key: string; readonly count: number; readonly bytes: number; readonly sha256: string };
}

/** Counts of the chain of one lane, and its faults. */
export interface LaneCheck {
  readonly topic: string;
  readonly partition: number;
  readonly entries: number;
  /** Offsets below this one are accounted for. */
  readonly to: number;
  /** Faults of the chain, one sentence each. Empty when it leads from 0 to `to` without a gap or a branch. */
  readonly faults: readonly string[];
  readonly rejected: number;
  readonly dropped: number;
  readonly absent: number;
  readonly gap: number;
}

/** Follows the entries of one lane from offset 0. */
export function judgeChain(topic: string, partition: number, entries: readonly JudgedEntry[]): LaneCheck {
  const faults: string[] = [];
  const ordered = entries.toSorted((a, b) => a.from - b.from);
  let [to, id]: [number, string | null] = [0, null];
  for (const entry of ordered) {
    if (entry.from !== to) faults.push(`${entry.key} starts at ${entry.from}, where ${to} was due`);
    if (entry.prev !== id) faults.push(`${entry.key} follows ${entry.prev ?? 'nothing'}, where ${id ?? 'nothing'} was due`);
    if (entry.to <= entry.from) faults.push(`${entry.key} spans nothing`);
    const rows = sum(entry.files.map((file) => file.rows));
    const told =
      rows + width(entry.rejected) + width(entry.dropped) + width(entry.absent) + (entry.kind === 'gap' ? entry.to - entry.from : 0);
    if (told !== entry.to - entry.from) faults.push(`${entry.key} accounts for ${told} of ${entry.to - entry.from} offsets`);
    if ((entry.rejects?.count ?? 0) !== width(entry.rejected))
      faults.push(`${entry.key} rejects ${width(entry.rejected)} offsets and names ${entry.rejects?.count ?? 0}`);
    [to, id] = [entry.to, entry.id];
  }
  const total = (of: 'rejected' | 'dropped' | 'absent'): number => sum(ordered.map((entry) => width(entry[of])));
  const gap = sum(ordered.filter(({ kind }) => kind === 'gap').map((entry) => entry.to - entry.from));
  return {
    topic,
    partition,
    entries: ordered.length,
    to,
    faults,
    rejected: total('rejected'),
    dropped: total('dropped'),
    absent: total('absent'),
    gap,
  };
}

/** The offsets that must be rows according to an entry. */
export function* rowOffsets({ kind, from, to, rejected, dropped, absent }: JudgedEntry): Generator<number> {
  if (kind === 'gap') return;
  const not = [...rejected, ...dropped, ...absent];
  for (let offset = from; offset < to; offset += 1) if (!not.some(([start, end]) => offset >= start && offset < end)) yield offset;
}

function width(ranges: readonly Range[]): number {
  return sum(ranges.map(([from, to]) => to - from));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

import { ledgerLimits, type LedgerEntryView, type LedgerTimeline } from '@millrace/contracts';
import type { Account } from '@millrace/lake';

type Lane = LedgerTimeline['lanes'][number];
type Step = Lane['steps'][number];

/** An entry of a lane in the time range. `account` is undefined while its object was not read. */
export interface TimedEntry {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly account: Account | undefined;
  /** Reason of a gap. */
  readonly reason?: string | undefined;
}

/** A time range in steps. */
export interface TimeSteps {
  readonly fromMs: number;
  readonly toMs: number;
  readonly steps: number;
}

/** The sums of a lane by step, the oldest first. Steps without an entry are left out. */
export function stepsOf(entries: readonly TimedEntry[], { fromMs, toMs, steps }: TimeSteps): readonly Step[] {
  const sums = new Map<number, { -readonly [Field in keyof Step]: Step[Field] }>();
  for (const { atMs, from, to, account } of entries) {
    const step = Math.min(Math.floor(((atMs - fromMs) / (toMs - fromMs)) * steps), steps - 1);
    const sum = sums.get(step) ?? { step, entries: 0, offsets: 0, rows: 0, rejected: 0, dropped: 0, absent: 0, gap: 0, unread: 0 };
    sums.set(step, sum);
    sum.entries += 1;
    sum.offsets += to - from;
    if (account === undefined) sum.unread += 1;
    else for (const fate of ['rows', 'rejected', 'dropped', 'absent', 'gap'] as const) sum[fate] += account[fate];
  }
  return [...sums.values()].toSorted((a, b) => a.step - b.step);
}

/** The gaps among entries, the newest first. */
export function gapsOf(entries: readonly (TimedEntry & { readonly partition: number })[]): LedgerTimeline['gaps'] {
  return entries
    .filter(({ account }) => (account?.gap ?? 0) > 0)
    .toSorted((a, b) => b.atMs - a.atMs || a.partition - b.partition)
    .slice(0, ledgerLimits.gapsMax)
    .map(({ partition, from, to, atMs, reason }) => ({
      partition,
      from,
      to,
      at: new Date(atMs).toISOString(),
      ...(reason === undefined ? {} : { reason }),
    }));
}

/** Orders entries by the time of their record, the newest first. */
export function newestFirst(a: LedgerEntryView, b: LedgerEntryView): number {
  return a.at === b.at ? a.partition - b.partition || b.from - a.from : a.at < b.at ? 1 : -1;
}

/** Files of the Iceberg table after a commit. */
export interface CommitFiles {
  readonly n: number;
  readonly atMs: number;
  readonly files: number;
}

/** The commits that left the table with fewer files than the commit before: they merged files. */
export function compactionsOf(commits: readonly CommitFiles[]): LedgerTimeline['compactions'] {
  const files = new Map(commits.map((commit) => [commit.n, commit.files]));
  return commits
    .toSorted((a, b) => a.n - b.n)
    .flatMap(({ n, atMs, files: filesAfter }) => {
      const filesBefore = files.get(n - 1);
      return filesBefore === undefined || filesBefore <= filesAfter
        ? []
        : [{ commit: n, at: new Date(atMs).toISOString(), filesBefore, filesAfter }];
    });
}

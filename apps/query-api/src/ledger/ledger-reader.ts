import { ledgerLimits, type LedgerEntryView, type LedgerTimeline, type Stream } from '@millrace/contracts';
import {
  accountOf,
  CommitLog,
  commitPrefix,
  isLanded,
  ledgerPrefix,
  mapParallel,
  readEntry,
  type Account,
  type InspectableStore,
  type LaneId,
  type LedgerEntry,
} from '@millrace/lake';
import { KnownLanes } from '../known-lanes.ts';
import { unanswered } from '../unanswered.ts';
import { KeptValues } from '../kept-values.ts';
import { KeyHistory, keysKeptMax, type Mark, type MarksSince } from './key-history.ts';
import { compactionsOf, gapsOf, newestFirst, stepsOf, type CommitFiles, type TimedEntry, type TimeSteps } from './timeline.ts';

/** Entries of one lane that stay in memory with their files. The counts of all known entries stay too: 60 MB for a month of eight lanes. */
const entriesKeptMax = 200;
const commitsKeptMax = 20_000;
/** Objects that one answer reads, and the time after which it reads no more, in milliseconds. */
const readsMax = 600;
const readingMsMax = 3000;
const readsAtOnce = 16;

/** Parts of {@link LedgerReader}. */
export interface LedgerReaderParts {
  readonly stream: Stream;
  readonly store: InspectableStore;
  readonly now: () => number;
}

/** The counts of an entry. */
interface EntryCounts {
  readonly to: number;
  readonly account: Account;
  readonly reason: string | undefined;
}

/** One lane: the times of its entries, and the counts of those that were read. */
class Lane {
  readonly id: LaneId;
  readonly history: KeyHistory;
  readonly counts = new KeptValues<number, EntryCounts>(keysKeptMax);
  readonly #store: InspectableStore;
  readonly #entries = new KeptValues<number, LedgerEntry>(entriesKeptMax);
  /** `from` of the newest entry that is known to have landed. */
  #landedFrom = -1;

  constructor(store: InspectableStore, id: LaneId) {
    this.#store = store;
    this.id = id;
    this.history = new KeyHistory(store, ledgerPrefix(id));
  }

  async entry(from: number, signal: AbortSignal): Promise<LedgerEntry> {
    const known = this.#entries.get(from);
    if (known !== undefined) return known;
    const entry = await readEntry(this.#store, this.id, from, { signal });
    this.#entries.keep(from, entry);
    this.counts.keep(from, { to: entry.to, account: accountOf(entry), reason: entry.reason });
    return entry;
  }

  /** The newest entry, and whether its files exist. Only the newest one may lack some. */
  async head(signal: AbortSignal): Promise<{ readonly to: number; readonly isLanded: boolean }> {
    const { newest } = this.history;
    if (newest === undefined) return { to: 0, isLanded: true };
    const entry = await this.entry(newest.number, signal);
    if (this.#landedFrom < newest.number && (await isLanded(this.#store, entry, { signal }))) this.#landedFrom = newest.number;
    return { to: entry.to, isLanded: this.#landedFrom >= newest.number };
  }

  /** Entries up to a time. The next entry says where one ends. */
  timed(marks: readonly Mark[], head: { readonly to: number }, toMs: number): TimedEntry[] {
    return marks.flatMap(({ number, atMs }, n) => {
      if (atMs > toMs) return [];
      const counts = this.counts.get(number);
      return [{ atMs, from: number, to: counts?.to ?? marks[n - 1]?.number ?? head.to, account: counts?.account, reason: counts?.reason }];
    });
  }
}

/** An object of the time range that was not read yet. */
interface Unread {
  readonly atMs: number;
  readonly read: () => Promise<void>;
}

/**
 * Reads the ledger of one table by time. An entry never changes, so each is read once; an answer reads a limited number of them, the newest
 * first, and the next one continues.
 */
export class LedgerReader {
  readonly #parts: LedgerReaderParts;
  readonly #lanes: KnownLanes<Lane>;
  readonly #log: CommitLog;
  readonly #commits: KeyHistory;
  readonly #commitFiles = new KeptValues<number, number>(commitsKeptMax);

  constructor(parts: LedgerReaderParts) {
    const { stream, store } = parts;
    this.#parts = parts;
    this.#lanes = new KnownLanes(store, stream, (lane) => new Lane(store, lane));
    this.#log = new CommitLog(store, stream.table);
    this.#commits = new KeyHistory(store, commitPrefix(stream.table));
  }

  /**
   * Reads a time range.
   *
   * @throws QueryError `unavailable` when S3 does not answer
   */
  async read(range: TimeSteps, signal: AbortSignal): Promise<LedgerTimeline> {
    try {
      return await this.#read(range, signal);
    } catch (error) {
      throw unanswered(error, `The ledger of ${this.#parts.stream.table} cannot be read: S3 does not answer.`);
    }
  }

  async #read(range: TimeSteps, signal: AbortSignal): Promise<LedgerTimeline> {
    const { stream } = this.#parts;
    const { fromMs, toMs, steps } = range;
    const all = await this.#lanes.read({ signal });
    const histories = await mapParallel(all, readsAtOnce, async ({ history }) => await history.since(fromMs, signal));
    const commits = await this.#commits.since(fromMs, signal);
    const heads = await mapParallel(all, readsAtOnce, async (lane) => await lane.head(signal));
    const inRange = ({ marks }: MarksSince): readonly Mark[] => marks.filter(({ atMs }) => atMs <= toMs);
    await this.#readSome([
      ...all.flatMap((lane, n) => unreadOf(lane, inRange(histories[n]!), signal)),
      ...this.#unreadCommits(inRange(commits), signal),
    ]);
    const lanes = all.map((lane, n) => ({ lane, head: heads[n]!, entries: lane.timed(histories[n]!.marks, heads[n]!, toMs) }));
    const entries = lanes.flatMap((one) => one.entries.map((entry) => ({ ...entry, partition: one.lane.id.partition })));
    const unread = entries.filter(({ account }) => account === undefined).length;
    const list = unread === 0 && entries.length <= ledgerLimits.listedEntriesMax ? await listed(entries, all, signal) : undefined;
    return {
      table: stream.table,
      topic: stream.topic.name,
      from: iso(fromMs),
      to: iso(toMs),
      stepMs: (toMs - fromMs) / steps,
      entries: entries.length,
      unread,
      listedFrom: iso(Math.max(fromMs, ...histories.map(({ knownFromMs }) => knownFromMs))),
      lanes: lanes.map(({ lane, head, entries: own }) => ({
        partition: lane.id.partition,
        ...head,
        ...(lane.history.newest === undefined ? {} : { recordedAt: iso(lane.history.newest.atMs) }),
        steps: stepsOf(own, range),
      })),
      gaps: gapsOf(entries),
      compactions: compactionsOf(this.#commitsOf(inRange(commits))),
      ...(list === undefined ? {} : { list }),
    };
  }

  #unreadCommits(marks: readonly Mark[], signal: AbortSignal): Unread[] {
    const oldest = marks.at(-1);
    // The one before says how many files the first of the range removed.
    const wanted = oldest === undefined || oldest.number <= 1 ? marks : [...marks, { number: oldest.number - 1, atMs: oldest.atMs }];
    return wanted
      .filter(({ number }) => this.#commitFiles.get(number) === undefined)
      .map(({ number, atMs }) => ({
        atMs,
        read: async () => {
          const commit = await this.#log.get(number, { signal });
          if (commit !== undefined) this.#commitFiles.keep(number, commit.files);
        },
      }));
  }

  #commitsOf(marks: readonly Mark[]): CommitFiles[] {
    const oldest = marks.at(-1);
    const all = oldest === undefined ? [] : [...marks, { number: oldest.number - 1, atMs: oldest.atMs }];
    return all.flatMap(({ number, atMs }) => {
      const files = this.#commitFiles.get(number);
      return files === undefined ? [] : [{ n: number, atMs, files }];
    });
  }

  async #readSome(unread: readonly Unread[]): Promise<void> {
    const { now } = this.#parts;
    const until = now() + readingMsMax;
    const newest = unread.toSorted((a, b) => b.atMs - a.atMs).slice(0, readsMax);
    await mapParallel(newest, readsAtOnce, async ({ read }) => {
      if (now() < until) await read();
    });
  }
}

async function listed(
  entries: readonly (TimedEntry & { readonly partition: number })[],
  lanes: readonly Lane[],
  signal: AbortSignal,
): Promise<LedgerEntryView[]> {
  const views = await mapParallel(entries, readsAtOnce, async ({ partition, from, atMs }) =>
    viewOf(partition, atMs, await lanes[partition]!.entry(from, signal)),
  );
  return views.toSorted(newestFirst);
}

function unreadOf(lane: Lane, marks: readonly Mark[], signal: AbortSignal): Unread[] {
  return marks
    .filter(({ number }) => lane.counts.get(number) === undefined)
    .map(({ number, atMs }) => ({ atMs, read: async () => void (await lane.entry(number, signal)) }));
}

function viewOf(partition: number, atMs: number, entry: LedgerEntry): LedgerEntryView {
  const { id, kind, from, to, files, rejects, reason, writer, contract } = entry;
  const { spanned: _spanned, ...fates } = accountOf(entry);
  return {
    partition,
    from,
    to,
    at: iso(atMs),
    id,
    kind,
    ...fates,
    files: files.map(({ key, dt, rows, bytes }) => ({ key, dt, rows, bytes })),
    ...(rejects === undefined ? {} : { rejectFile: rejects.key }),
    ...(reason === undefined ? {} : { reason }),
    writer,
    contract,
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

import { chainEndOf, isLakeError, type ChainEnd, type LedgerEntry } from '@millrace/lake';
import type { UndecodableBatch } from '@millrace/kafka';
import { unlessAborted } from '@millrace/resilience';
import { gapEntry } from '../batch/gap-entry.ts';
import { LaneIntake, type IntakePlace, type SealReason } from './parts/lane-intake.ts';
import { LaneLanding } from './parts/lane-landing.ts';
import type { LaneParts } from './parts/lane-parts.ts';
import { findStart, otherRecord, shorterLog, type LaneStart } from './parts/lane-start.ts';
import { isWitness, LogPosition } from './parts/log-position.ts';
import type { FetchedRecords, LogRange, LogRecord } from '../kafka/log.ts';
import { PartitionHolds } from './parts/partition-holds.ts';
import { UndecodableHold, type HeldBatch } from './parts/undecodable-hold.ts';
import { undecodableRecords } from '../batch/records/undecodable-records.ts';

const lookAgainMs = 10_000;

// A fetch has thousands of records. The lane checks and writes them in parts, so that each part's objects are freed before the next.
const recordsAtOnce = 1000;

/** The state of a lane. */
export type LaneState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'stopped' };

/**
 * The writer of one topic partition. The function {@link findStart} finds the offset at which it continues. The first half,
 * {@link LaneIntake}, turns fetched records into sealed batches. The second half, {@link LaneLanding}, lands them in order.
 * The class {@link LogPosition} checks that the log is still the same. The steps themselves are in {@link BatchSteps}.
 *
 * A life lasts from finding the head to losing a race for an offset. The loser forgets everything unrecorded, the deduplication window
 * included, and starts again at the end of the winner's entry. The old life must not touch the ledger afterwards, so its signal is aborted
 * first.
 */
export class Lane {
  readonly partition: number;
  readonly #parts: LaneParts;
  readonly #holds: PartitionHolds;
  readonly #position = new LogPosition();
  readonly #intake: LaneIntake;
  #state: LaneState = { kind: 'starting' };
  #life = new AbortController();
  /** Aborted when the lane takes no more records. */
  readonly #draining = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();
  #landing: LaneLanding | undefined;
  #startingSince: number;
  #retryTimer: unknown;
  /** The end of the chain once every sealed batch is recorded. */
  #end: ChainEnd = chainEndOf(undefined);
  /** The last record before that end. */
  #last: LedgerEntry['last'];
  readonly #undecodable: UndecodableHold;

  constructor(partition: number, parts: LaneParts) {
    this.partition = partition;
    this.#parts = parts;
    this.#startingSince = parts.clock.now();
    this.#holds = new PartitionHolds(partition, parts.steps.parts.log, parts.steps.parts.observe);
    this.#undecodable = new UndecodableHold(partition, parts, this.#holds);
    this.#intake = new LaneIntake(partition, parts, this.#holds, {
      inTurn: (run) => void this.#inTurn(run),
      sealed: (batch) => {
        this.#end = { to: batch.to, id: batch.id };
        this.#last = batch.last;
        this.#landing!.sealed(batch);
      },
      // Sealed batches wait for the new life.
      broken: (error) => void this.#beginAgain(`the open batch is lost: ${error.message}`, true),
    });
  }

  get state(): LaneState {
    return this.#state;
  }

  /** The offset that is taken next. */
  get position(): number {
    return this.#position.next;
  }

  /** The offset after the last landed one. */
  get landed(): number {
    return this.#landing?.landed ?? 0;
  }

  /** Batches sealed and not landed. */
  get queued(): number {
    return this.#landing?.length ?? 0;
  }

  /** Raw bytes of the open batch. */
  get openBytes(): number {
    return this.#intake.bytes;
  }

  get segmentCount(): number {
    return this.#intake.segmentCount;
  }

  get holds(): readonly string[] {
    return this.#holds.reasons;
  }

  /** The undecodable batch that the lane waits before. */
  get undecodable(): HeldBatch | undefined {
    return this.#undecodable.held;
  }

  /** Milliseconds since the oldest record that has not landed was taken; 0 when every record has landed. */
  get oldestAgeMs(): number {
    const since = this.#landing?.oldestAt ?? this.#intake.openedAt;
    return since === undefined ? 0 : this.#parts.clock.now() - since;
  }

  /** Milliseconds for which the lane has been looking for its head; 0 once it has found the head. */
  get startingMs(): number {
    return this.#state.kind === 'starting' ? this.#parts.clock.now() - this.#startingSince : 0;
  }

  /** There is room in the spool again. */
  room(): void {
    this.#holds.remove('pressure');
  }

  /** Starts the lane: pauses the partition at once, finds the head, lands it, and continues at its end. Never throws. */
  async start(): Promise<void> {
    this.#holds.add('starting');
    await this.#begin(this.#life.signal);
  }

  /** Called when the group was joined again and kept this lane: kafkajs has rewound it to the committed offset. Must be synchronous. */
  rejoin(): void {
    // The topic may have been recreated while Kafka was unavailable.
    if (this.#state.kind === 'running') this.#position.prove();
    this.#parts.steps.parts.log.seek(this.#position.expected);
    this.#holds.reapply();
  }

  /**
   * Takes one fetch. Returns once it is on disk; landing continues in the background.
   *
   * @returns whether the fetch was taken; otherwise the lane has called seek with the offset that it wants next
   */
  async take(fetched: FetchedRecords): Promise<boolean> {
    return await this.#inTurn(async () => {
      if (this.#state.kind !== 'running') return false;
      if (fetched.fetchedOffset !== this.#position.expected && !(await this.#resync(fetched))) return false;
      const { witness } = this.#position;
      const { undecodable } = fetched;
      if (witness !== undefined && !isWitness(fetched.records, this.#position.next, witness, this.#parts.steps.parts.check)) {
        // It may be a record of a batch that could be decoded before.
        const unreadable = fetched.records.length === 0 ? undecodable : undefined;
        if (unreadable === undefined) {
          this.#refuse(otherRecord(this.partition, witness.offset));
          return false;
        }
        if (!this.#undecodable.allows(unreadable)) return this.#hold(unreadable);
      }
      this.#position.proved();
      const records = fetched.records.filter(({ offset }) => offset >= this.#position.next);
      for (let start = 0; start < records.length; start += recordsAtOnce)
        if (!(await this.#append(records.slice(start, start + recordsAtOnce)))) return false;
      if (fetched.next > this.#position.next && !(await this.#pass(fetched.next))) return false;
      if (fetched.next < this.#position.next) {
        // The proof started far before the position.
        this.#parts.steps.parts.log.seek(this.#position.expected);
        return false;
      }
      return undecodable === undefined || (await this.#takeUndecodable(undecodable));
    });
  }

  /** Seals the open batch, so that it lands. */
  async seal(reason: SealReason): Promise<void> {
    await this.#inTurn(async () => await this.#intake.seal(reason));
  }

  /** Takes no more records, because the process stops. */
  stopAccepting(): void {
    this.#holds.add('stopping');
    this.#draining.abort(new Error(`lane ${this.partition} drains`));
  }

  /** Seals the open batch and waits until everything has landed, or the signal aborts. For shutdown. */
  async drain(signal: AbortSignal): Promise<void> {
    this.stopAccepting();
    await unlessAborted(this.#drained(), signal);
  }

  async #drained(): Promise<void> {
    await this.seal('stop');
    await this.#landing?.idle;
    await this.#parts.steps.parts.snapshots.stopped(this.#parts.window, this.#landing?.head, this.#life.signal);
  }

  /** Stops at once. Drops the open batch; encoded batches on disk become orphans, in case the partition comes back. */
  async stop(reason: string): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    this.#state = { kind: 'stopped' };
    this.#holds.close();
    if (this.#retryTimer !== undefined) this.#parts.clock.clearTimeout(this.#retryTimer);
    this.#life.abort(new Error(`lane ${this.partition} stops: ${reason}`));
    await this.#inTurn(async () => await this.#forget(true));
    this.#parts.steps.parts.observe({ type: 'LaneStopped', partition: this.partition, reason });
  }

  async #begin(life: AbortSignal): Promise<void> {
    try {
      const start = await findStart(this.partition, this.#parts, life);
      await this.#inTurn(() => this.#run(start, life));
    } catch (error) {
      if (!life.aborted) this.#refuse(error as Error);
    }
  }

  #run({ head, waiting, end, last, range }: LaneStart, life: AbortSignal): void {
    if (life.aborted) {
      this.#parts.orphans.put(this.partition, waiting);
      return;
    }
    this.#landing = new LaneLanding(this.partition, this.#parts, head, life, {
      lost: (winner) => {
        this.#parts.steps.parts.observe({ type: 'RaceLost', partition: this.partition, from: winner.from, winner: winner.writer });
        void this.#beginAgain(`another writer recorded offset ${winner.from}`);
      },
      corrupt: (error) => {
        this.#parts.steps.parts.observe({ type: 'SpoolCorrupt', partition: this.partition, error });
        void this.#beginAgain(error.message);
      },
      refused: (error) => this.#refuse(error),
    });
    this.#end = end;
    this.#last = last;
    this.#position.start(end.to, last, range.low);
    this.#state = { kind: 'running' };
    for (const batch of waiting) this.#landing.adopted(batch);
    this.#parts.steps.parts.log.seek(this.#position.expected);
    this.#holds.remove('starting');
    this.#parts.steps.parts.observe({ type: 'LaneStarted', partition: this.partition, position: end.to, ...range });
  }

  async #beginAgain(why: string, keep = false): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    this.#holds.add('starting');
    this.#holds.remove('refused');
    this.#state = { kind: 'starting' };
    this.#startingSince = this.#parts.clock.now();
    this.#life.abort(new Error(why));
    this.#life = new AbortController();
    const life = this.#life.signal;
    await this.#inTurn(async () => {
      await this.#forget(keep);
      this.#landing = undefined;
    });
    await this.#begin(life);
  }

  // The fetch did not start where it should: a rebalance rewound it, retention overtook it, kafkajs reset it, or the topic is another.
  async #resync({ fetchedOffset }: FetchedRecords): Promise<boolean> {
    const { log } = this.#parts.steps.parts;
    let range: LogRange;
    try {
      // The last seal waits for this turn, and a broker may not answer: abort the request when the lane drains.
      range = await log.range(AbortSignal.any([this.#life.signal, this.#draining.signal]));
    } catch {
      log.seek(this.#position.expected);
      return false;
    }
    switch (this.#position.judge(fetchedOffset, range)) {
      case 'hole':
        return true;
      case 'shorter':
        this.#refuse(shorterLog(this.partition, range.high, this.#position.next));
        return false;
      case 'unknown':
        this.#refuse(otherRecord(this.partition, this.#position.expected));
        return false;
      case 'retention':
        await this.#skipTo(range.low);
        break;
      case 'again':
        break;
    }
    log.seek(this.#position.expected);
    return false;
  }

  async #append(records: readonly LogRecord[]): Promise<boolean> {
    const { budget, steps } = this.#parts;
    const next = await this.#intake.append(records, this.#place);
    if (next === undefined) {
      steps.parts.log.seek(this.#position.expected);
      return false;
    }
    const last = records.findLast(({ undecodable }) => undecodable === undefined);
    if (last === undefined) this.#position.passed(next);
    else this.#position.appended(next, { offset: last.offset, timestamp: last.timestamp });
    this.#undecodable.passed(next);
    if (budget.full) {
      // Keep this order: room may become free while the batch is sealed.
      this.#holds.add('pressure');
      await this.#intake.seal('pressure');
    }
    return true;
  }

  get #place(): IntakePlace {
    return { position: this.#position.next, end: this.#end, last: this.#last };
  }

  // Markers of transactions, aborted records and offsets that compaction removed land as absent, with the batch around them.
  async #pass(next: number): Promise<boolean> {
    const taken = await this.#intake.pass(next, this.#place);
    if (taken) {
      this.#position.passed(next);
      this.#undecodable.passed(next);
    } else {
      this.#parts.steps.parts.log.seek(this.#position.expected);
    }
    return taken;
  }

  // With an operator's permission each offset of the batch becomes a reject. Otherwise only this partition waits.
  async #takeUndecodable(batch: UndecodableBatch): Promise<boolean> {
    const { log, observe } = this.#parts.steps.parts;
    const from = this.#position.next;
    const { to } = batch;
    if (to === undefined || (to > from && !this.#undecodable.allows(batch))) return this.#hold(batch);
    for (const records of undecodableRecords(batch, { from, to }, recordsAtOnce)) if (!(await this.#append(records))) return false;
    if (to > from) observe({ type: 'UndecodablePassed', partition: this.partition, from, to });
    log.seek(this.#position.expected);
    return false;
  }

  #hold(batch: UndecodableBatch): false {
    this.#undecodable.add(batch, this.#life.signal);
    this.#parts.steps.parts.log.seek(this.#position.expected);
    return false;
  }

  // Retention took offsets that were never read.
  async #skipTo(low: number): Promise<void> {
    await this.#intake.seal('gap');
    if (this.#intake.openedAt !== undefined) return;
    const entry: LedgerEntry = gapEntry(this.#parts.newId(), this.#end, low, this.#parts.steps.parts.context);
    this.#end = { to: entry.to, id: entry.id };
    this.#last = undefined;
    this.#position.skipTo(low);
    this.#parts.window.passed(low);
    this.#landing!.gap(entry);
  }

  async #forget(keep: boolean): Promise<void> {
    this.#parts.window.forgetFrom(this.landed);
    this.#undecodable.clear();
    await this.#intake.discard();
    await this.#landing?.abandon(keep);
  }

  #refuse(error: Error): void {
    if (this.#state.kind === 'stopped') return;
    this.#state = { kind: 'refused', error };
    this.#holds.add('refused');
    this.#life.abort(error);
    // Nothing lands from here. Encoded batches become orphans, to be published or dropped; Kafka has the rest.
    void this.#inTurn(async () => await this.#forget(true));
    // A sink with the file on its disk, maybe this one, publishes it, or an operator's repair replaces it. Look again, so that no restart
    // is needed.
    if (isLakeError(error, 'file-lost'))
      this.#retryTimer = this.#parts.clock.setTimeout(() => void this.#beginAgain('a lost file may have been repaired', true), lookAgainMs);
    this.#parts.steps.parts.observe({ type: 'LaneRefused', partition: this.partition, error });
  }

  /** Appending, sealing and forgetting never overlap; landing runs beside them. */
  async #inTurn<T>(run: () => Promise<T> | T): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }
}

import { chainEndOf, type ChainEnd, type LedgerEntry, type RecordOutcome } from '@millrace/lake';
import type { Clock } from '@millrace/resilience';
import type { EncodedBatch, SealedBatch } from './batch.ts';
import { SinkError } from './errors.ts';
import type { FetchedRecords, LogRecord } from './log.ts';
import { OpenBatch } from './open-batch.ts';
import type { Pipeline } from './pipeline.ts';
import type { SpoolBudget } from './spool-budget.ts';
import type { Spool } from './spool.ts';

/** Settings of a lane. */
export interface LaneSettings {
  /** A batch is sealed at this many raw bytes. Firehose's buffer size. */
  readonly flushBytes: number;
  /** A batch is sealed at this age, in milliseconds. Firehose's buffer interval. */
  readonly flushAgeMs: number;
}

/** What a lane is made of besides its pipeline. */
export interface LaneParts {
  readonly pipeline: Pipeline;
  readonly spool: Spool;
  readonly budget: SpoolBudget;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly settings: LaneSettings;
}

/** Why a lane's partition is paused. It is fetched only while there is no reason. */
type Hold = 'starting' | 'pressure' | 'disk' | 'stopping' | 'refused';

/** A record by which the log is known again. */
interface Witness {
  readonly offset: number;
  readonly timestamp: string;
  readonly eventId?: string;
}

/** Work that waits for the ledger, in order. */
type Pending =
  | { readonly kind: 'batch'; readonly batch: SealedBatch; readonly encoded: Promise<EncodedBatch>; readonly sealedAt: number }
  | { readonly kind: 'gap'; readonly entry: LedgerEntry };

/** What a lane is doing. */
export type LaneState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'stopped' };

/**
 * One topic partition's writer: it decides where a batch starts and ends, keeps the order of the ledger, and knows whether the log it
 * reads is the one the ledger was written from. The steps themselves are the {@link Pipeline}'s.
 *
 * A life lasts from finding the head to losing a race for an offset. Whoever loses forgets everything unrecorded and begins again
 * at the winner's end; nothing of the old life may touch the ledger afterwards, so its signal is aborted first.
 */
export class Lane {
  readonly partition: number;
  readonly #parts: LaneParts;
  readonly #holds = new Set<Hold>();
  #state: LaneState = { kind: 'starting' };
  #life = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();
  #landing: Promise<void> | undefined;

  /** The offset that is appended next. */
  #position = 0;
  /** The end of the chain as it will be when everything sealed is recorded. */
  #end: ChainEnd = chainEndOf(undefined);
  /** The newest entry, which has landed. */
  #head: LedgerEntry | undefined;
  #open: OpenBatch | undefined;
  #openedAt = 0;
  #flushTimer: unknown;
  #diskTimer: unknown;
  #diskFailures = 0;
  #queue: Pending[] = [];
  /** Set while the next fetch must prove that the log is still the same. */
  #witness: Witness | undefined;
  /** The last record appended, for the next proof. */
  #latest: Witness | undefined;
  /** A jump of the fetch offset that was seen once; seen twice it is a hole in the log. */
  #jump: string | undefined;

  constructor(partition: number, parts: LaneParts) {
    this.partition = partition;
    this.#parts = parts;
  }

  get state(): LaneState {
    return this.#state;
  }

  get position(): number {
    return this.#position;
  }

  /** The end of what has landed. */
  get landed(): number {
    return this.#head?.to ?? 0;
  }

  /** Batches sealed and not landed. */
  get queued(): number {
    return this.#queue.length;
  }

  get segmentCount(): number {
    return this.#open?.segmentCount ?? 0;
  }

  get holds(): readonly string[] {
    return [...this.#holds];
  }

  /** Milliseconds since the oldest event that has not landed was taken; 0 when there is none. */
  get oldestAgeMs(): number {
    const [first] = this.#queue;
    const since = first?.kind === 'batch' ? first.sealedAt : this.#open === undefined ? undefined : this.#openedAt;
    return since === undefined ? 0 : this.#parts.clock.now() - since;
  }

  /** There is room in the spool again. */
  room(): void {
    this.#release('pressure');
  }

  /** Begins: pauses the partition at once, finds the head, lands it, and goes on at its end. Never throws. */
  async start(): Promise<void> {
    this.#hold('starting');
    await this.#begin(this.#life.signal);
  }

  /** The group was joined again and this lane kept: kafkajs has rewound it to the committed offset. Synchronous, as it must be. */
  rejoin(): void {
    const { log } = this.#parts.pipeline.parts;
    log.seek(this.#witness?.offset ?? this.#position);
    if (this.#holds.size > 0) log.pause();
    else log.resume();
  }

  /**
   * Takes one fetch. Returns once it is on disk: landing goes on behind.
   *
   * @returns whether the fetch was taken; otherwise the lane has sought to where it wants to go on
   */
  async take(fetched: FetchedRecords): Promise<boolean> {
    return await this.#exclusively(async () => {
      if (this.#state.kind !== 'running') return false;
      if (fetched.fetchedOffset !== this.#expected && !(await this.#resync(fetched))) return false;
      if (this.#witness !== undefined && !this.#proves(fetched, this.#witness)) return false;
      this.#witness = undefined;
      this.#jump = undefined;
      const records = fetched.records.filter(({ offset }) => offset >= this.#position);
      return records.length === 0 ? true : await this.#append(records);
    });
  }

  /** Seals what is open and waits until everything has landed, or the signal aborts. For shutdown. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#hold('stopping');
    await this.#exclusively(async () => await this.#seal());
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.#landing, aborted]);
  }

  /** Stops at once. What is unrecorded is dropped: Kafka has the events, and the ledger arbitrates what is in flight. */
  async stop(reason: string): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    this.#state = { kind: 'stopped' };
    this.#life.abort(new Error(`lane ${this.partition} stops: ${reason}`));
    await this.#exclusively(async () => await this.#forget());
    this.#observe({ type: 'LaneStopped', partition: this.partition, reason });
  }

  get #expected(): number {
    return this.#witness?.offset ?? this.#position;
  }

  async #begin(life: AbortSignal): Promise<void> {
    const { pipeline } = this.#parts;
    try {
      for (;;) {
        const head = await pipeline.head(life);
        // Land before extend: whoever finds the head unlanded publishes it.
        if (head !== undefined) await pipeline.land(head, life);
        const range = await pipeline.range(life);
        this.#refuseOtherLog(head, range);
        const end = chainEndOf(head);
        if (end.to < range.low) {
          // Lost or not, the loop looks at the ledger again.
          await pipeline.record(this.#gapEntry(end, range.low), head, life);
          this.#observe({ type: 'GapRecorded', partition: this.partition, from: end.to, to: range.low });
          continue;
        }
        await this.#exclusively(async () => this.#run(head, range, life));
        return;
      }
    } catch (error) {
      if (!life.aborted) this.#refuse(error as Error);
    }
  }

  #run(head: LedgerEntry | undefined, range: { low: number; high: number }, life: AbortSignal): void {
    if (life.aborted) return;
    this.#head = head;
    this.#end = chainEndOf(head);
    this.#position = this.#end.to;
    this.#witness = head?.last !== undefined && head.last.offset >= range.low ? witnessOf(head.last) : undefined;
    this.#latest = this.#witness;
    this.#jump = undefined;
    this.#state = { kind: 'running' };
    this.#parts.pipeline.parts.log.seek(this.#expected);
    this.#release('starting');
    this.#observe({ type: 'LaneStarted', partition: this.partition, position: this.#position, ...range });
  }

  #refuseOtherLog(head: LedgerEntry | undefined, { high }: { high: number }): void {
    if (head === undefined) return;
    const { cluster } = this.#parts.pipeline.parts.context;
    if (head.topic.cluster !== cluster) {
      throw new SinkError('different-log', `the ledger of partition ${this.partition} was written from cluster ${head.topic.cluster}, this is ${cluster}: point the sink at the right cluster, or at another bucket`);
    }
    if (head.to > high) throw this.#shorterLog(high, head.to);
  }

  #shorterLog(high: number, position: number): SinkError {
    return new SinkError('different-log', `partition ${this.partition} ends at offset ${high}, but ${position} was reached: the topic was recreated or cut; a new log needs a new topic name or another bucket`);
  }

  // The fetch did not start where it should: a rebalance rewound it, retention overtook it, kafkajs reset it, or the topic is another.
  async #resync({ fetchedOffset }: FetchedRecords): Promise<boolean> {
    const { log } = this.#parts.pipeline.parts;
    let range: { low: number; high: number };
    try {
      range = await log.range(this.#life.signal);
    } catch {
      log.seek(this.#expected);
      return false;
    }
    if (range.high < this.#position) {
      this.#refuse(this.#shorterLog(range.high, this.#position));
      return false;
    }
    if (range.low > this.#position) {
      await this.#skipTo(range.low);
    } else if (this.#witness !== undefined && range.low > this.#witness.offset) {
      this.#witness = undefined;
    } else if (fetchedOffset > this.#expected) {
      // Once may be a fetch from before a seek; twice from the same place means that the broker has nothing in between.
      const jump = `${this.#expected}>${fetchedOffset}`;
      if (this.#jump === jump) {
        if (this.#witness === undefined) return true;
        this.#refuse(this.#otherRecord(this.#witness));
        return false;
      }
      this.#jump = jump;
    } else {
      this.#witness = this.#latest !== undefined && this.#latest.offset >= range.low ? this.#latest : undefined;
    }
    log.seek(this.#expected);
    return false;
  }

  #proves({ records }: FetchedRecords, witness: Witness): boolean {
    const [record] = records;
    const same = record !== undefined && record.offset === witness.offset && record.timestamp === witness.timestamp && this.#hasEventId(record, witness.eventId);
    if (!same) this.#refuse(this.#otherRecord(witness));
    return same;
  }

  #otherRecord({ offset }: Witness): SinkError {
    return new SinkError('different-log', `the record at offset ${offset} of partition ${this.partition} is not the one the ledger names: the topic was recreated; a new log needs a new topic name or another bucket`);
  }

  #hasEventId(record: LogRecord, eventId: string | undefined): boolean {
    if (eventId === undefined) return true;
    const result = this.#parts.pipeline.parts.check(record);
    return result.kind === 'row' && result.eventId === eventId;
  }

  async #append(records: readonly LogRecord[]): Promise<boolean> {
    const { pipeline, spool, budget, clock, newId, settings } = this.#parts;
    try {
      if (this.#open === undefined) {
        this.#open = new OpenBatch(this.#position, this.#end.id, await spool.open(this.partition, newId()));
      }
      const before = this.#open.bytes;
      await pipeline.take(this.#open, records);
      budget.add(this.#open.bytes - before);
    } catch (error) {
      this.#diskFailed('append', error as Error);
      pipeline.parts.log.seek(this.#position);
      return false;
    }
    this.#position = this.#open.next;
    this.#diskFailures = 0;
    if (this.#flushTimer === undefined) {
      this.#openedAt = clock.now();
      this.#flushTimer = clock.setTimeout(() => void this.#exclusively(async () => await this.#seal()), settings.flushAgeMs);
    }
    const last = records.at(-1)!;
    this.#latest = { offset: last.offset, timestamp: last.timestamp };
    if (this.#open.bytes >= settings.flushBytes || budget.full) await this.#seal();
    if (budget.full) this.#hold('pressure');
    return true;
  }

  async #seal(): Promise<void> {
    const open = this.#open;
    if (open === undefined || open.next === open.from) return;
    let batch: SealedBatch;
    try {
      batch = await open.seal();
    } catch (error) {
      this.#diskFailed('seal', error as Error);
      return;
    }
    this.#closeOpen();
    this.#diskFailures = 0;
    this.#end = { to: batch.to, id: batch.id };
    this.#observe({ type: 'BatchSealed', partition: this.partition, id: batch.id, from: batch.from, to: batch.to, bytes: batch.bytes, files: batch.segments.length });
    const encoded = this.#parts.pipeline.encode(batch, this.#life.signal);
    encoded.catch(() => undefined);
    this.#enqueue({ kind: 'batch', batch, encoded, sealedAt: this.#openedAt });
  }

  // Retention took offsets that were never read.
  async #skipTo(low: number): Promise<void> {
    await this.#seal();
    if (this.#open !== undefined) return;
    const entry = this.#gapEntry(this.#end, low);
    this.#end = { to: entry.to, id: entry.id };
    this.#position = low;
    this.#witness = undefined;
    this.#latest = undefined;
    this.#enqueue({ kind: 'gap', entry });
  }

  #gapEntry(end: ChainEnd, to: number): LedgerEntry {
    const { context } = this.#parts.pipeline.parts;
    return {
      v: 1,
      id: this.#parts.newId(),
      prev: end.id,
      kind: 'gap',
      from: end.to,
      to,
      dropped: [],
      rejected: [],
      absent: [],
      files: [],
      topic: { cluster: context.cluster },
      writer: context.writer,
      contract: context.stream.contract,
      reason: 'the log no longer held these offsets when they were to be read',
    };
  }

  #enqueue(pending: Pending): void {
    this.#queue.push(pending);
    this.#landQueued();
  }

  #landQueued(): void {
    if (this.#landing !== undefined || this.#queue.length === 0 || this.#state.kind !== 'running') return;
    const landing = this.#land(this.#life.signal).finally(() => {
      if (this.#landing !== landing) return;
      this.#landing = undefined;
      // Something may have been queued between the loop's last look and here.
      this.#landQueued();
    });
    this.#landing = landing;
  }

  async #land(life: AbortSignal): Promise<void> {
    const { pipeline, clock } = this.#parts;
    try {
      for (let next = this.#queue[0]; next !== undefined && !life.aborted; next = this.#queue[0]) {
        let outcome: RecordOutcome;
        if (next.kind === 'gap') {
          outcome = await pipeline.record(next.entry, this.#head, life);
          if (outcome.outcome === 'mine') this.#observe({ type: 'GapRecorded', partition: this.partition, from: next.entry.from, to: next.entry.to });
        } else {
          outcome = await pipeline.deliver(await next.encoded, this.#head, life);
        }
        if (life.aborted) return;
        if (outcome.outcome === 'lost') {
          // Not awaited: beginning anew waits for this life's end.
          void this.#lost(outcome.winner);
          return;
        }
        this.#queue.shift();
        if (next.kind === 'gap') {
          this.#head = next.entry;
          continue;
        }
        const { entry } = await next.encoded;
        this.#head = entry;
        this.#parts.budget.remove(next.batch.bytes);
        await next.batch.files.discard();
        this.#observe({
          type: 'BatchLanded',
          partition: this.partition,
          id: entry.id,
          from: entry.from,
          to: entry.to,
          rows: entry.files.reduce((sum, { rows }) => sum + rows, 0),
          rejected: entry.rejects?.count ?? 0,
          bytes: entry.files.reduce((sum, { bytes }) => sum + bytes, 0),
          ageMs: clock.now() - next.sealedAt,
        });
      }
    } catch (error) {
      if (!life.aborted) this.#refuse(error as Error);
    }
  }

  async #lost(winner: LedgerEntry): Promise<void> {
    this.#observe({ type: 'RaceLost', partition: this.partition, from: winner.from, winner: winner.writer });
    this.#hold('starting');
    this.#life.abort(new Error(`another writer recorded offset ${winner.from}`));
    this.#life = new AbortController();
    const life = this.#life.signal;
    this.#state = { kind: 'starting' };
    this.#landing = undefined;
    await this.#exclusively(async () => await this.#forget());
    await this.#begin(life);
  }

  async #forget(): Promise<void> {
    const open = this.#open;
    this.#closeOpen();
    if (open !== undefined) {
      this.#parts.budget.remove(open.bytes);
      await open.discard();
    }
    for (const pending of this.#queue.splice(0)) {
      if (pending.kind === 'gap') continue;
      this.#parts.budget.remove(pending.batch.bytes);
      await pending.batch.files.discard();
    }
    this.#clearDiskTimer();
    this.#release('disk');
  }

  #closeOpen(): void {
    if (this.#flushTimer !== undefined) this.#parts.clock.clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#open = undefined;
  }

  #clearDiskTimer(): void {
    if (this.#diskTimer !== undefined) this.#parts.clock.clearTimeout(this.#diskTimer);
    this.#diskTimer = undefined;
  }

  // A full disk is an outage like the others: the partition pauses, and the same is tried again later.
  #diskFailed(step: string, error: Error): void {
    this.#observe({ type: 'StepFailed', partition: this.partition, step, attempt: this.#diskFailures, error });
    this.#diskFailures += 1;
    this.#hold('disk');
    this.#clearDiskTimer();
    this.#diskTimer = this.#parts.clock.setTimeout(
      () => void this.#exclusively(async () => {
        this.#release('disk');
        if (step === 'seal') await this.#seal();
      }),
      Math.min(30_000, 250 * 2 ** Math.min(this.#diskFailures, 10)),
    );
  }

  #refuse(error: Error): void {
    if (this.#state.kind === 'stopped') return;
    this.#state = { kind: 'refused', error };
    this.#hold('refused');
    this.#life.abort(error);
    this.#observe({ type: 'LaneRefused', partition: this.partition, error });
  }

  // A stopped lane's partition belongs to another, in this process or elsewhere.
  #hold(reason: Hold): void {
    if (this.#state.kind === 'stopped') return;
    const first = this.#holds.size === 0;
    this.#holds.add(reason);
    if (!first) return;
    this.#parts.pipeline.parts.log.pause();
    this.#observe({ type: 'PartitionPaused', partition: this.partition, reason });
  }

  #release(reason: Hold): void {
    if (!this.#holds.delete(reason) || this.#holds.size > 0 || this.#state.kind === 'stopped') return;
    this.#parts.pipeline.parts.log.resume();
    this.#observe({ type: 'PartitionResumed', partition: this.partition });
  }

  #observe(event: Parameters<Pipeline['parts']['observe']>[0]): void {
    this.#parts.pipeline.parts.observe(event);
  }

  /** Appending, sealing and forgetting never overlap; landing runs beside them. */
  async #exclusively<T>(run: () => Promise<T> | T): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }
}

function witnessOf({ offset, timestamp, eventId }: NonNullable<LedgerEntry['last']>): Witness {
  return eventId === undefined ? { offset, timestamp } : { offset, timestamp, eventId };
}

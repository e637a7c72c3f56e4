import {
  publish,
  readSkipPermission,
  type Checkpointer,
  unstage,
  untilDone,
  isLakeError,
  type LedgerEntry,
  type Ledger,
  type LaneId,
  type ObjectStore,
  type Patience,
  type RecordOutcome,
  type SkipPermission,
} from '@millrace/lake';
import { RejectedError } from '@millrace/resilience';
import type { EncodedBatch, SealedBatch, StagedBody } from '../spool/batch.ts';
import type { Check } from './records/check.ts';
import type { DedupWindow } from '../dedup/dedup-window.ts';
import { wordsPerId } from '../dedup/ids/id-words.ts';
import type { SegmentEncoder } from '../spool/segment-encoder.ts';
import { encodeBatch, type EntryContext } from './encode.ts';
import { isSinkError } from '../errors.ts';
import { fillFromSpool, fillWindow } from '../dedup/fill-window.ts';
import type { BatchTraces } from '../tracing/batch-traces.ts';

import type { LogRecord, PartitionLog } from '../kafka/log.ts';
import type { OpenBatch } from './open-batch.ts';
import { RecordChecker } from './record-checker.ts';
import type { Registrar } from './registrar.ts';
import type { SinkObserver } from '../sink-events.ts';
import { verifyBody } from '../spool/spool-manifest.ts';
import type { BatchFiles } from '../spool/spool.ts';
import type { WindowSnapshots } from '../dedup/window-snapshots.ts';

// A lifecycle rule or a person deletes a staged object that disappears repeatedly: an operator has to know.
const stagedAgainMax = 3;

// Files of a batch that are uploaded concurrently. A batch has one file per day, and a late-data batch may touch hundreds of days.
const stagedAtOnce = 8;

/** Dependencies of the steps of one lane. */
export interface BatchStepsDeps {
  readonly lane: LaneId;
  readonly context: EntryContext;
  readonly check: Check;
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly encoder: SegmentEncoder;
  readonly log: PartitionLog;
  readonly registrar: Registrar;
  readonly snapshots: WindowSnapshots;
  readonly checkpoints: Pick<Checkpointer, 'landed'>;
  readonly patience: Patience;
  readonly observe: SinkObserver;
  /** Default: tracing is off. */
  readonly traces?: BatchTraces | undefined;
}

/**
 * Runs the steps of a batch:
 *
 * consume → check → append → seal → encode → stage → record → publish → register → commit.
 *
 * The first half, {@link BatchSteps.take}, runs for every fetch. The second half, {@link BatchSteps.encode} and {@link BatchSteps.deliver},
 * runs for every sealed batch, in order. A failed step is retried until the lane stops. Only the ledger decides that another writer owns
 * the offsets of a batch.
 */
export class BatchSteps {
  readonly parts: BatchStepsDeps;
  #checker: RecordChecker | undefined;

  constructor(parts: BatchStepsDeps) {
    this.parts = parts;
  }

  /**
   * consume → check → append. The records ascend from the batch's next offset. Nothing is counted, and nothing remembered in the
   * window, when a write fails.
   */
  async take(batch: OpenBatch, records: readonly LogRecord[], window: DedupWindow): Promise<void> {
    this.#checker ??= new RecordChecker(this.parts.context.stream, this.parts.check);
    const { checked, ids } = this.#checker.check(records, window);
    const before = batch.bytes;
    await batch.append(checked);
    const count = { row: 0, reject: 0, duplicate: 0 };
    for (let n = 0; n < checked.length; n += 1) {
      const { kind, offset } = checked[n]!.result;
      count[kind] += 1;
      if (kind === 'row') window.addId(ids, n * wordsPerId, offset);
    }
    window.passed(batch.next);
    this.parts.traces?.onTaken(batch.files, records);
    this.parts.observe({
      type: 'RecordsTaken',
      partition: this.parts.lane.partition,
      rows: count.row,
      rejects: count.reject,
      duplicates: count.duplicate,
      bytes: batch.bytes - before,
    });
  }

  /** Step encode: writes the Parquet files and the entry, which are frozen and durable from here on. */
  async encode(batch: SealedBatch, life: AbortSignal): Promise<EncodedBatch> {
    const { traces, encoder, context } = this.parts;
    const encode = async (): Promise<EncodedBatch> =>
      await this.#step('encode', life, async () => await encodeBatch(encoder, batch, context, life));
    if (traces === undefined) return await encode();
    try {
      return await traces.step(batch, 'encode', encode);
    } catch (error) {
      traces.fail(batch, error);
      throw error;
    }
  }

  /**
   * stage → record → publish → register → commit.
   *
   * @param previous the head that this entry extends; it has landed
   */
  async deliver(encoded: EncodedBatch, previous: LedgerEntry | undefined, life: AbortSignal): Promise<RecordOutcome> {
    const { traces } = this.parts;
    if (traces === undefined) return await this.#deliver(encoded, previous, life, runAlone);
    const { entry, takenAt, files } = encoded;
    const batch = { id: entry.id, from: entry.from, to: entry.to, takenAt, files };
    try {
      const outcome = await this.#deliver(encoded, previous, life, async (name, run) => await traces.step(batch, name, run));
      if (outcome.outcome !== 'lost') for (const name of ['register', 'commit']) traces.note(batch, name);
      traces.end(batch, entry, outcome.outcome);
      return outcome;
    } catch (error) {
      traces.fail(batch, error);
      throw error;
    }
  }

  async #deliver(encoded: EncodedBatch, previous: LedgerEntry | undefined, life: AbortSignal, run: RunStep): Promise<RecordOutcome> {
    await run('stage', async () => await this.#stage(encoded, life));
    const outcome = await run('record', async () => await this.record(encoded.entry, previous, life));
    if (outcome.outcome === 'lost') return outcome;
    await run('publish', async () => await this.publishFromDisk(encoded, life));
    this.#register(encoded.entry);
    this.#commit(encoded.entry);
    return outcome;
  }

  /** publish → register → commit, for an entry whose files are still on our disk. */
  async landFromDisk(encoded: EncodedBatch, life: AbortSignal): Promise<void> {
    await this.publishFromDisk(encoded, life);
    this.#register(encoded.entry);
    this.#commit(encoded.entry);
  }

  /** Step publish, for an entry whose files are still on our disk: it stages lost staged files again. */
  async publishFromDisk(encoded: EncodedBatch, life: AbortSignal): Promise<void> {
    for (let again = 0; ; again += 1) {
      try {
        await this.#publish(encoded.entry, life);
        return;
      } catch (error) {
        if (!isLakeError(error, 'file-lost') || again === stagedAgainMax) throw error;
        this.parts.observe({ type: 'StagedAgain', partition: this.parts.lane.partition, id: encoded.entry.id, error });
        await this.#stage(encoded, life);
      }
    }
  }

  /** Step record: the put-if-absent decides which writer owns the offsets. The writer that extends a landed head may unstage its files. */
  async record(entry: LedgerEntry, previous: LedgerEntry | undefined, life: AbortSignal): Promise<RecordOutcome> {
    const { ledger, patience, store } = this.parts;
    const outcome = await ledger.record(entry, this.#observed('record', patience), life);
    // Not awaited: a leftover staged object only costs storage until the lifecycle rule deletes it.
    if (outcome.outcome === 'mine' && previous !== undefined) void unstage(store, previous, { signal: life }).catch(() => undefined);
    return outcome;
  }

  /** publish → register → commit, for an entry that is recorded, by us or by another. */
  async land(entry: LedgerEntry, life: AbortSignal): Promise<void> {
    await this.#publish(entry, life);
    this.#register(entry);
    this.#commit(entry);
  }

  /** Returns the newest entry of the ledger; retries until the store answers. */
  async head(life: AbortSignal): Promise<LedgerEntry | undefined> {
    return await this.#step('find the head', life, async () => await this.parts.ledger.head({ signal: life }));
  }

  /** Returns the offsets that the partition holds; retries until Kafka answers. */
  async range(life: AbortSignal): Promise<{ low: number; high: number }> {
    return await this.#step('ask for the log range', life, async () => await this.parts.log.range(life));
  }

  /** The operator's permission to go past the batch at an offset, or undefined; asked once. */
  async skipPermission(from: number, life: AbortSignal): Promise<SkipPermission | undefined> {
    const { store, lane } = this.parts;
    return await readSkipPermission(store, lane.topic, lane.partition, from, { signal: life });
  }

  /** Reads the rows of the last offsets into the window: from landed files, then from the batches that wait on disk after them. */
  async fillWindow(window: DedupWindow, landedTo: number, waiting: readonly EncodedBatch[], life: AbortSignal): Promise<void> {
    const known = Math.min(window.knownTo, landedTo);
    await this.#step('read the window', life, async () => {
      // Drop the rows that a partly failed attempt added.
      window.forgetFrom(known);
      await this.parts.snapshots.load(window, landedTo, life);
      this.parts.snapshots.behind(await fillWindow(window, landedTo, this.parts, life));
      for (const batch of waiting) await fillFromSpool(window, batch, this.parts.encoder);
    });
  }

  async #publish(entry: LedgerEntry, life: AbortSignal): Promise<void> {
    await this.#step('publish', life, async () => await publish(this.parts.store, entry, { signal: life }));
  }

  // The registrar retries by itself: the catalog is not part of durability.
  #register(entry: LedgerEntry): void {
    this.parts.registrar.register(entry.files.map(({ dt }) => dt));
  }

  // The committed offset is for lag tools only.
  #commit(entry: LedgerEntry): void {
    this.parts.log.commit(entry.to);
  }

  async #stage(encoded: EncodedBatch, life: AbortSignal): Promise<void> {
    const { bodies } = encoded;
    for (let start = 0; start < bodies.length; start += stagedAtOnce) {
      await Promise.all(bodies.slice(start, start + stagedAtOnce).map(async (body) => await this.#stageOne(encoded.files, body, life)));
    }
  }

  async #stageOne(files: BatchFiles, body: StagedBody, life: AbortSignal): Promise<void> {
    let doubtful = false;
    await this.#step('stage', life, async () => {
      // Stores report bytes that do not match their hash with different errors. So check the file on disk, not the error.
      if (doubtful) await verifyBody(files, body);
      try {
        await this.parts.store.put(body.staged, body.body, { sha256: body.sha256, signal: life });
      } catch (error) {
        // Our own circuit rejected the call, so no request was sent.
        doubtful = !(error instanceof RejectedError);
        throw error;
      }
    });
  }

  async #step<T>(name: string, life: AbortSignal, run: () => Promise<T>): Promise<T> {
    return await untilDone(run, this.#observed(name, this.parts.patience), life, isFinal);
  }

  #observed(step: string, patience: Patience): Patience {
    return {
      wait: async (attempt, error, signal) => {
        this.parts.observe({
          type: 'StepFailed',
          partition: this.parts.lane.partition,
          step,
          attempt,
          error: error instanceof Error ? error : new Error(String(error)),
        });
        await patience.wait(attempt, error, signal);
      },
    };
  }
}

type RunStep = <T>(name: string, run: () => Promise<T>) => Promise<T>;

const runAlone: RunStep = async (_name, run) => await run();

// Errors that no retry can fix: a deleted file, an unreadable entry, a corrupt spool.
function isFinal(error: unknown): boolean {
  return isLakeError(error, 'file-lost') || isLakeError(error, 'bad-entry') || isSinkError(error, 'spool-corrupt');
}

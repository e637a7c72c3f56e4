import {
  auditTable,
  isLakeError,
  Ledger,
  type AuditOptions,
  type AuditReport,
  type LedgerEntry,
  type ObjectStore,
  type Patience,
  type RecordOutcome,
  type LaneId,
  type CallOptions,
} from '@millrace/lake';
import { DedupWindow } from '../dedup/dedup-window.ts';
import { BatchSteps } from '../batch/batch-steps.ts';
import { OrphanedBatches } from '../spool/orphaned-batches.ts';
import { soundMakers, type Makers } from './world/makers.ts';

/** A store that reports its PUTs to a listener. */
class ListeningStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #listen: (put: () => Promise<void>) => Promise<void>;

  constructor(store: ObjectStore, listen: (put: () => Promise<void>) => Promise<void>) {
    this.#store = store;
    this.#listen = listen;
  }

  async put(...args: Parameters<ObjectStore['put']>): Promise<void> {
    await this.#listen(async () => await this.#store.put(...args));
  }

  async get(...args: Parameters<ObjectStore['get']>): Promise<Uint8Array | undefined> {
    return await this.#store.get(...args);
  }

  async size(...args: Parameters<ObjectStore['size']>): Promise<number | undefined> {
    return await this.#store.size(...args);
  }

  async copy(...args: Parameters<ObjectStore['copy']>): Promise<void> {
    await this.#store.copy(...args);
  }

  async delete(...args: Parameters<ObjectStore['delete']>): Promise<void> {
    await this.#store.delete(...args);
  }

  async list(...args: Parameters<ObjectStore['list']>): Promise<string[]> {
    return await this.#store.list(...args);
  }

  async listFolders(...args: Parameters<ObjectStore['listFolders']>): Promise<string[]> {
    return await this.#store.listFolders(...args);
  }
}

/** Treats a PUT without an answer as applied. */
class CredulousLedger extends Ledger {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore, lane: LaneId) {
    super(store, lane);
    this.#store = store;
  }

  override async record(entry: LedgerEntry, patience: Patience, signal: AbortSignal): Promise<RecordOutcome> {
    let answered = false;
    const listening = new ListeningStore(this.#store, async (put) => {
      try {
        await put();
      } catch (error) {
        if (!isLakeError(error, 'unavailable')) throw error;
      }
      answered = true;
    });
    const outcome = await new Ledger(listening, this.lane).record(entry, patience, signal);
    return answered ? { outcome: 'mine' } : outcome;
  }
}

/** Starts the chain at the log's start, and does not record the gap before it. */
class HeadlessLedger extends Ledger {
  #missing: LedgerEntry | undefined;

  override async head(options: CallOptions = {}): Promise<LedgerEntry | undefined> {
    return (await super.head(options)) ?? this.#missing;
  }

  override async record(entry: LedgerEntry, patience: Patience, signal: AbortSignal): Promise<RecordOutcome> {
    if (entry.kind !== 'gap' || entry.from > 0) return await super.record(entry, patience, signal);
    this.#missing = entry;
    return { outcome: 'mine' };
  }
}

/** Extends a head without waiting for its files. */
class HastyPipeline extends BatchSteps {
  override async land(entry: LedgerEntry, life: AbortSignal): Promise<void> {
    void super.land(entry, life).catch(() => undefined);
    await Promise.resolve();
  }
}

/** Remembers rows that it took and lost to another writer. */
class StubbornWindow extends DedupWindow {
  override forgetFrom(): void {
    // Nothing is forgotten.
  }
}

/** Adopts every batch on disk without a check. */
class UncheckedOrphans extends OrphanedBatches {
  protected override fits(): boolean {
    return true;
  }
}

/** Calls every table complete. */
async function credulousAudit(options: AuditOptions): Promise<AuditReport> {
  const report = await auditTable(options);
  return {
    ...report,
    verdict: 'complete',
    lanes: report.lanes.map((lane) => ({ ...lane, spanned: lane.spanned + lane.unlanded, unlanded: 0 })),
  };
}

/** The sink without one rule, by the name of that rule. The check must detect each omission. */
export const brokenRules: Readonly<Record<string, Makers>> = {
  'own entry read back': { ...soundMakers, ledger: (store, lane) => new CredulousLedger(store, lane) },
  'land before extend': { ...soundMakers, steps: (parts) => new HastyPipeline(parts) },
  // Another cut of the same offsets gets the same id, so the files staged under it change.
  'frozen batch': { ...soundMakers, batchId: (_n, position) => `batch-at-${position}` },
  'window forgotten after a loss': { ...soundMakers, window: (offsets) => new StubbornWindow(offsets) },
  'first entry at 0': { ...soundMakers, ledger: (store, lane) => new HeadlessLedger(store, lane) },
  'audit of visible files': { ...soundMakers, audit: credulousAudit },
  'spool checked against the head': { ...soundMakers, orphans: (budget, observe) => new UncheckedOrphans(budget, observe) },
};

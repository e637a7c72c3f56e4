import type { AuditReport, LedgerTimeline, Stream } from '@millrace/contracts';
import { auditTable, TableFiles, type GlueCatalog, type InspectableStore } from '@millrace/lake';
import { sleep, systemClock } from '@millrace/resilience';
import { QueryError } from '../errors.ts';
import { auditEvents } from './audit-events.ts';
import { LedgerReader } from './ledger-reader.ts';
import type { TimeSteps } from './timeline.ts';

/** Longest audit, in milliseconds. */
const auditMsMax = 1_800_000;

/** Parts of {@link Ledgers}. */
export interface LedgersParts {
  readonly streams: readonly Stream[];
  readonly bucket: string;
  readonly store: InspectableStore;
  readonly catalogOf: (stream: Stream) => GlueCatalog;
  readonly now: () => number;
}

/** The ledgers of the tables, for operators. */
export class Ledgers {
  readonly #parts: LedgersParts;
  readonly #readers = new Map<string, LedgerReader>();
  readonly #audited = new Set<string>();

  constructor(parts: LedgersParts) {
    this.#parts = parts;
  }

  /**
   * Reads the ledger of a table over a time range.
   *
   * @throws QueryError `not-found` for another table, `unavailable` when S3 does not answer
   */
  async timeline(table: string, range: TimeSteps, signal: AbortSignal): Promise<LedgerTimeline> {
    const stream = this.#find(table);
    const { store, now } = this.#parts;
    const reader = this.#readers.get(table) ?? new LedgerReader({ stream, store, now });
    this.#readers.set(table, reader);
    return await reader.read(range, signal);
  }

  /**
   * Audits a table as server-sent events, until its end or until the signal aborts.
   *
   * @throws QueryError `not-found` for another table, `overloaded` while an audit of the table runs
   */
  audit(table: string, signal: AbortSignal): AsyncIterable<string> {
    const stream = this.#find(table);
    if (this.#audited.has(table))
      throw new QueryError('overloaded', `An audit of the table ${table} runs already in this process.`, { retryAfterSeconds: 10 });
    const until = AbortSignal.any([signal, AbortSignal.timeout(auditMsMax)]);
    const run = async (onProgress: (detail: string) => void): Promise<AuditReport> => {
      const { store, bucket, catalogOf } = this.#parts;
      this.#audited.add(table);
      const projection = new TableFiles({ store, bucket, stream });
      try {
        return await auditTable({ store, stream, catalog: catalogOf(stream), projection, signal: until, onProgress });
      } finally {
        this.#audited.delete(table);
      }
    };
    return auditEvents(run, async (ms) => await sleep(ms, { clock: systemClock, signal }).catch(() => undefined));
  }

  #find(table: string): Stream {
    const { streams } = this.#parts;
    const stream = streams.find((one) => one.table === table);
    if (stream !== undefined) return stream;
    throw new QueryError('not-found', `There is no table ${table}. The tables are ${streams.map((one) => one.table).join(', ')}.`);
  }
}

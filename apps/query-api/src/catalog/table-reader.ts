import type { Stream } from '@millrace/contracts';
import type { CatalogPartition, GlueCatalog, InspectableStore } from '@millrace/lake';
import { QueryError } from '../errors.ts';
import { KnownLanes } from '../known-lanes.ts';
import { unanswered } from '../unanswered.ts';
import { LaneReader, type LaneState } from './lane-reader.ts';
import { ProjectionReader, type ProjectionState } from './projection-reader.ts';

/** Age up to which a state answers further requests, in milliseconds. */
export const stateMsMax = 2000;
/** Longest read of the state, in milliseconds. */
const readMsMax = 20_000;

/** A table as its ledger, the catalog and the projection describe it. */
export interface TableState {
  /** Epoch milliseconds of the read. */
  readonly atMs: number;
  readonly lanes: readonly LaneState[];
  readonly registered: readonly CatalogPartition[];
  readonly projection: ProjectionState | undefined;
}

/** Parts of {@link TableReader}. */
export interface TableReaderParts {
  readonly stream: Stream;
  readonly bucket: string;
  readonly store: InspectableStore;
  readonly catalog: Pick<GlueCatalog, 'partitions'>;
  readonly now: () => number;
  /** Aborts after a time in milliseconds. Default: by the clock of the process. */
  readonly timeout?: (ms: number) => AbortSignal;
  /** Called when the projection cannot be read: the table is described without it. */
  readonly onProjectionFailure: (error: unknown) => void;
}

/** Reads the state of one table. Concurrent requests share a read, and requests of the next moments its result. */
export class TableReader {
  readonly #parts: TableReaderParts;
  readonly #lanes: KnownLanes<LaneReader>;
  readonly #projection: ProjectionReader;
  #state: TableState | undefined;
  #running: Promise<TableState> | undefined;

  constructor(parts: TableReaderParts) {
    this.#parts = parts;
    const { stream, bucket, store } = parts;
    this.#lanes = new KnownLanes(store, stream, (lane) => new LaneReader(store, lane));
    this.#projection = new ProjectionReader({ stream, bucket, store });
  }

  /**
   * The state, at most {@link stateMsMax} old.
   *
   * @throws QueryError `unavailable` when S3 or Glue does not answer
   */
  async read(): Promise<TableState> {
    const { now } = this.#parts;
    if (this.#state !== undefined && now() - this.#state.atMs < stateMsMax) return this.#state;
    this.#running ??= this.#readNow().finally(() => {
      this.#running = undefined;
    });
    return await this.#running;
  }

  async #readLanes(signal: AbortSignal): Promise<LaneState[]> {
    const lanes = await this.#lanes.read({ signal });
    return await Promise.all(lanes.map(async (lane) => await lane.read(signal)));
  }

  async #readNow(): Promise<TableState> {
    const { stream, catalog, now, timeout = (ms: number) => AbortSignal.timeout(ms), onProjectionFailure } = this.#parts;
    const signal = timeout(readMsMax);
    const atMs = now();
    try {
      const [lanes, registered, projection] = await Promise.all([
        this.#readLanes(signal),
        catalog.partitions({ signal }),
        this.#projection.read(signal).catch((error: unknown) => {
          onProjectionFailure(error);
          return undefined;
        }),
      ]);
      this.#state = { atMs, lanes, registered, projection };
      return this.#state;
    } catch (error) {
      if (error instanceof QueryError) throw error;
      throw unanswered(error, `The table ${stream.table} cannot be described: the catalog or S3 does not answer.`);
    }
  }
}

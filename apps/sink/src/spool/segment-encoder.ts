import type { Segment } from './batch.ts';
import type { BatchFiles } from './spool.ts';

/** An encoded file. Its bytes never change again. */
export interface EncodedFile {
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256 in hex. */
  readonly sha256: string;
}

/** Offset and event id of a row. */
export interface RowId {
  readonly offset: number;
  readonly eventId: string;
}

/** Encodes segments as Parquet. Two adapters exist: DuckDB, and the one of the simulation. */
export interface SegmentEncoder {
  /**
   * Encodes one segment into a file of the batch.
   *
   * @throws SinkError `row-count` when the number of written rows differs from the number of appended lines
   */
  encode(files: BatchFiles, segment: Segment, name: string, partition: number, signal: AbortSignal): Promise<EncodedFile>;
  /** Describes a file of the batch that goes to S3 unchanged. */
  asIs(files: BatchFiles, name: string): Promise<EncodedFile>;
  /** Offset and event id of the rows of an encoded file, at offset `from` or above. */
  rowIds(file: Uint8Array, from: number): Promise<readonly RowId[]>;
}

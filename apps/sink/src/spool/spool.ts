import type { ObjectBody } from '@millrace/lake';

/** The files of one batch. They hold what memory must not: a batch is as large as its hints allow, and many may wait. */
export interface BatchFiles {
  readonly batchId: string;
  /** Where a file of the batch is, for the encoder. */
  path(name: string): string;
  /** A file that no one changes any more, for the upload. */
  body(name: string, bytes: number): ObjectBody;
  /**
   * Writes a chunk at a position of a file; the first write creates it. What an earlier, failed write left there is overwritten.
   *
   * @throws SinkError `disk-full`; a part of the chunk may stand there
   */
  write(name: string, chunk: Uint8Array, position: number): Promise<void>;
  /** Cuts each file to its length, which drops what a failed write left behind. */
  seal(files: readonly { readonly file: string; readonly bytes: number }[]): Promise<void>;
  /**
   * Compares a file with the checksum that was kept while it was written.
   *
   * @throws SinkError `spool-corrupt`
   */
  verify(name: string, crc32: number): Promise<void>;
  /** A file's bytes. */
  read(name: string): Promise<Uint8Array>;
  /** Makes the files durable, and then the manifest that names them, whole or not at all. */
  persist(files: readonly string[], manifest: Uint8Array): Promise<void>;
  /** The manifest, or undefined where the batch has none. */
  manifest(): Promise<Uint8Array | undefined>;
  /** SHA-256 of a file in hex, or undefined when it is not there. */
  hash(name: string): Promise<string | undefined>;
  /** Removes one file that is no longer needed. */
  remove(name: string): Promise<void>;
  /** Removes everything. Never throws: what is left over is swept at the next start. */
  discard(): Promise<void>;
  /** Moves everything to where an operator can look at it. Never throws. */
  setAside(): Promise<void>;
}

/** A batch that an earlier life left behind. */
export interface LeftBatch {
  readonly partition: number;
  readonly files: BatchFiles;
}

/** The place on disk where batches are built and wait. Two adapters: the disk, and the simulation's memory. */
export interface Spool {
  open(partition: number, batchId: string): Promise<BatchFiles>;
  /**
   * The batches with a manifest that dead incarnations left behind. They belong to the caller from now on; each is answered once.
   *
   * @throws SinkError `disk-full`; asked again, it goes on where it was
   */
  left(): Promise<readonly LeftBatch[]>;
}

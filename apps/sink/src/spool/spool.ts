import type { ObjectBody } from '@millrace/lake';

/** The files of one batch. They stay out of memory: a batch is as large as its flush settings allow, and many batches may wait. */
export interface BatchFiles {
  readonly batchId: string;
  /** Where a file of the batch is, for the encoder. */
  path(name: string): string;
  /** A file that no one changes any more, for the upload. */
  body(name: string, bytes: number): ObjectBody;
  /**
   * Writes a chunk at a position of a file; the first write creates the file. Overwrites the remains of an earlier, failed write.
   *
   * @throws SinkError `disk-full`; the file may then hold a part of the chunk
   */
  write(name: string, chunk: Uint8Array, position: number): Promise<void>;
  /** Truncates each file to its length, which drops the remains of a failed write. */
  seal(files: readonly { readonly file: string; readonly bytes: number }[]): Promise<void>;
  /**
   * Compares a file with the checksum that was computed while it was written.
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
  /** Removes everything. Never throws: the next start removes any leftovers. */
  discard(): Promise<void>;
  /** Moves everything to a folder in which an operator can inspect it. Never throws. */
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
   * @throws SinkError `disk-full`; the next call continues where this one stopped
   */
  left(): Promise<readonly LeftBatch[]>;
}

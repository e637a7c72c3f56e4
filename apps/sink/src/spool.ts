/** The files of one batch. They hold what memory must not: a batch is as large as its hints allow, and many may wait. */
export interface BatchFiles {
  readonly batchId: string;
  /** Where a file of the batch is, for the encoder and the upload. */
  path(name: string): string;
  /**
   * Writes a chunk at a position of a file; the first write creates it. What an earlier, failed write left there is overwritten.
   *
   * @throws SinkError `disk-full`; a part of the chunk may stand there
   */
  write(name: string, chunk: string, position: number): Promise<void>;
  /** Cuts each file to its length, which drops what a failed write left behind, and makes it durable. */
  seal(files: readonly { readonly file: string; readonly bytes: number }[]): Promise<void>;
  /** Writes a small file, durably and whole or not at all. */
  writeManifest(bytes: Uint8Array): Promise<void>;
  /** Removes one file that is no longer needed. */
  remove(name: string): Promise<void>;
  /** Removes everything. Never throws: what is left over is swept at the next start. */
  discard(): Promise<void>;
}

/** The place on disk where batches are built and wait. Two adapters: the disk, and the simulation's memory. */
export interface Spool {
  open(partition: number, batchId: string): Promise<BatchFiles>;
}

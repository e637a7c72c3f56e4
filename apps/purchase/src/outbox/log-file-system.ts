/** A file of the outbox. */
export interface LogFile {
  /** Writes all bytes at a position. They are durable only after {@link sync}. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** Reads up to `length` bytes; fewer at the end of the file. */
  read(at: number, length: number): Promise<Buffer>;
  /** Cuts the file. Durable only after {@link sync}. */
  truncate(length: number): Promise<void>;
  /**
   * Makes content and length durable (`fdatasync`). The entry in the directory needs {@link LogDirectory.sync}.
   * @throws when it fails; nothing is known then about any write since the last success, and a repetition proves nothing
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file with its length. */
export interface LogFileInfo {
  readonly name: string;
  readonly bytes: number;
}

/** The directory of the outbox. Two adapters: the disk, and one in memory whose power can be cut. */
export interface LogDirectory {
  list(): Promise<readonly LogFileInfo[]>;
  /** Creates a file. @throws when it exists */
  create(name: string): Promise<LogFile>;
  /** Opens a file for reading and writing. @throws when it does not exist */
  open(name: string): Promise<LogFile>;
  /** Removes a file. Durable only after {@link sync}. */
  remove(name: string): Promise<void>;
  /** Makes created and removed entries durable. */
  sync(): Promise<void>;
}

import { open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogDirectory, LogFile, LogFileInfo } from './log-file-system.ts';

/** A directory on disk. */
export class DiskDirectory implements LogDirectory {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async list(): Promise<readonly LogFileInfo[]> {
    const names = await readdir(this.#path);
    return await Promise.all(names.map(async (name) => ({ name, bytes: (await stat(join(this.#path, name))).size })));
  }

  async create(name: string): Promise<LogFile> {
    return new DiskFile(await open(join(this.#path, name), 'wx+'));
  }

  async open(name: string): Promise<LogFile> {
    return new DiskFile(await open(join(this.#path, name), 'r+'));
  }

  async remove(name: string): Promise<void> {
    await unlink(join(this.#path, name));
  }

  async sync(): Promise<void> {
    const directory = await open(this.#path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

class DiskFile implements LogFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, at: number): Promise<void> {
    // The system may write less than it was given.
    for (let done = 0; done < bytes.length;) done += (await this.#handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }

  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, at + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  }

  async truncate(length: number): Promise<void> {
    await this.#handle.truncate(length);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

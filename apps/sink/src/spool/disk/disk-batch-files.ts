import { constants, createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ObjectBody } from '@millrace/lake';
import { sizeAndHash } from './size-and-hash.ts';
import { SinkError } from '../../errors.ts';
import { onDisk } from './on-disk.ts';
import type { BatchFiles } from '../spool.ts';

/** The file that makes a batch recoverable after a crash. */
export const manifestFile = 'manifest.json';

/** Folder that keeps the newest corrupt batches for an operator. */
export const setAsideFolder = 'corrupt';
const setAsideMax = 20;

/** The files of one batch in a separate directory. */
export class DiskBatchFiles implements BatchFiles {
  readonly batchId: string;
  readonly #root: string;
  readonly #directory: string;
  /** The file of the last write. It stays open for the next one: most batches fill a single segment. */
  #written: { readonly name: string; readonly handle: FileHandle } | undefined;

  constructor(root: string, directory: string, batchId: string) {
    this.#root = root;
    this.#directory = directory;
    this.batchId = batchId;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  body(name: string, bytes: number): ObjectBody {
    return { path: this.path(name), bytes };
  }

  async write(name: string, bytes: Uint8Array, position: number): Promise<void> {
    await onDisk(async () => {
      const handle = await this.#handleOf(name);
      for (let written = 0; written < bytes.byteLength;) {
        const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, position + written);
        written += bytesWritten;
      }
    });
  }

  async seal(files: readonly { readonly file: string; readonly bytes: number }[]): Promise<void> {
    await onDisk(async () => {
      await this.#closeWritten();
      for (const { file, bytes } of files) await truncate(this.path(file), bytes);
    });
  }

  async verify(name: string, expected: number): Promise<void> {
    let found = 0;
    try {
      for await (const chunk of createReadStream(this.path(name), { highWaterMark: 1024 * 1024 })) found = crc32(chunk as Buffer, found);
    } catch (cause) {
      throw new SinkError('spool-corrupt', `${name} of batch ${this.batchId} cannot be read back`, { cause });
    }
    if (found !== expected) throw new SinkError('spool-corrupt', `${name} of batch ${this.batchId} does not match its checksum`);
  }

  async read(name: string): Promise<Uint8Array> {
    return await readFile(this.path(name));
  }

  async persist(files: readonly string[], manifest: Uint8Array): Promise<void> {
    await onDisk(async () => {
      for (const file of files) await syncFile(this.path(file));
      const temporary = this.path(`${manifestFile}.tmp`);
      await writeFile(temporary, manifest, { flush: true });
      await rename(temporary, this.path(manifestFile));
      await syncFile(this.#directory);
    });
  }

  async manifest(): Promise<Uint8Array | undefined> {
    return await readFile(this.path(manifestFile)).catch(() => undefined);
  }

  async hash(name: string): Promise<string | undefined> {
    return existsSync(this.path(name)) ? (await sizeAndHash(this.path(name))).sha256 : undefined;
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true }).catch(() => undefined);
  }

  async discard(): Promise<void> {
    await this.#closeWritten().catch(() => undefined);
    await rm(this.#directory, { recursive: true, force: true }).catch(() => undefined);
  }

  async setAside(): Promise<void> {
    const folder = join(this.#root, setAsideFolder);
    await this.#closeWritten().catch(() => undefined);
    try {
      await mkdir(folder, { recursive: true });
      await rename(this.#directory, join(folder, `${new Date().toISOString().replaceAll(':', '')}-${this.batchId}`));
      for (const old of (await readdir(folder)).toSorted().slice(0, -setAsideMax))
        await rm(join(folder, old), { recursive: true, force: true });
    } catch {
      await this.discard();
    }
  }

  // One handle at a time, so that any number of open segments costs a single one.
  async #handleOf(name: string): Promise<FileHandle> {
    if (this.#written?.name === name) return this.#written.handle;
    await this.#closeWritten();
    const handle = await open(this.path(name), constants.O_WRONLY | constants.O_CREAT);
    this.#written = { name, handle };
    return handle;
  }

  async #closeWritten(): Promise<void> {
    const written = this.#written;
    this.#written = undefined;
    await written?.handle.close();
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

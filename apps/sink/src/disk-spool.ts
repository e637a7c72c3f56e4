import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SinkError } from './errors.ts';
import type { BatchFiles, Spool } from './spool.ts';

/** Who owns a spool directory: a process, told from a later one with the same pid by its start time. */
interface Owner {
  readonly pid: number;
  readonly startedAt: string;
}

/**
 * The spool on disk: `<root>/<incarnation>/p<partition>/<batch id>/`. Each incarnation of the process has its own directory, so that
 * two sinks on one machine never share a file, and a crashed one's files can be told from a living one's.
 */
export class DiskSpool implements Spool {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Takes a directory for this incarnation and removes those of dead ones: what they held unrecorded is still in Kafka.
   *
   * @param root the spool's root, shared by the sinks of a machine
   * @param incarnation a name no other incarnation has
   */
  static async take(root: string, incarnation: string): Promise<DiskSpool> {
    await mkdir(root, { recursive: true });
    for (const name of await readdir(root)) {
      if (!(await isAlive(join(root, name)))) await rm(join(root, name), { recursive: true, force: true });
    }
    const directory = join(root, incarnation);
    await mkdir(directory);
    const owner: Owner = { pid: process.pid, startedAt: (await startTimeOf(process.pid)) ?? '' };
    await writeFile(join(directory, 'owner.json'), JSON.stringify(owner));
    return new DiskSpool(directory);
  }

  async open(partition: number, batchId: string): Promise<BatchFiles> {
    const directory = join(this.#directory, `p${partition}`, batchId);
    await onDisk(async () => await mkdir(directory, { recursive: true }));
    return new DiskBatchFiles(directory, batchId);
  }

  /** Removes this incarnation's directory; for a clean shutdown, when nothing waits any more. */
  async release(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

class DiskBatchFiles implements BatchFiles {
  readonly batchId: string;
  readonly #directory: string;

  constructor(directory: string, batchId: string) {
    this.#directory = directory;
    this.batchId = batchId;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  async write(name: string, chunk: string, position: number): Promise<void> {
    await onDisk(async () => {
      // Opened for each write and closed again, so that any number of open segments costs no file handle.
      const handle = await open(this.path(name), constants.O_WRONLY | constants.O_CREAT);
      try {
        const bytes = Buffer.from(chunk);
        for (let written = 0; written < bytes.byteLength; ) {
          const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, position + written);
          written += bytesWritten;
        }
      } finally {
        await handle.close();
      }
    });
  }

  async seal(files: readonly { readonly file: string; readonly bytes: number }[]): Promise<void> {
    await onDisk(async () => {
      for (const { file, bytes } of files) {
        await truncate(this.path(file), bytes);
        await syncFile(this.path(file));
      }
      await syncFile(this.#directory);
    });
  }

  async writeManifest(bytes: Uint8Array): Promise<void> {
    await onDisk(async () => {
      const temporary = this.path('manifest.tmp');
      await writeFile(temporary, bytes, { flush: true });
      await rename(temporary, this.path('manifest.json'));
      await syncFile(this.#directory);
    });
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
  }

  async discard(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** ENOSPC, EDQUOT and EFBIG (a limit set on the process) are outages of the disk. */
export async function onDisk<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      throw new SinkError('disk-full', `the disk of the spool is full (${code})`, { cause: error });
    }
    throw error;
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

async function isAlive(directory: string): Promise<boolean> {
  let owner: Owner;
  try {
    owner = JSON.parse(await readFile(join(directory, 'owner.json'), 'utf8')) as Owner;
  } catch {
    // Taken a moment ago, its owner not written yet, or left by a crash at that very moment: only age tells.
    const found = await stat(directory).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs < 10_000;
  }
  const startedAt = await startTimeOf(owner.pid);
  if (startedAt !== undefined) return startedAt === owner.startedAt;
  try {
    process.kill(owner.pid, 0);
    return owner.startedAt === '';
  } catch {
    return false;
  }
}

/** Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), where the system tells it. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command name, in parentheses, may hold spaces.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

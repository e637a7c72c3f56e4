import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DiskBatchFiles, manifestFile, setAsideFolder } from './disk-batch-files.ts';
import { isAlive, startTimeOf, type Owner } from './incarnation-owner.ts';
import { onDisk } from './on-disk.ts';
import type { BatchFiles, LeftBatch, Spool } from './spool.ts';

/**
 * The spool on disk: `<root>/<incarnation>/p<partition>/<batch id>/`. Each incarnation of the process has its own directory, so that
 * two sinks on one machine never share a file, and a crashed one's files can be told from a living one's.
 */
export class DiskSpool implements Spool {
  readonly #root: string;
  readonly #directory: string;
  /** What was found and not answered yet. */
  readonly #found: LeftBatch[] = [];

  private constructor(root: string, directory: string) {
    this.#root = root;
    this.#directory = directory;
  }

  /**
   * Takes a directory for this incarnation.
   *
   * @param root the spool's root, shared by the sinks of a machine
   * @param incarnation a name no other incarnation has
   * @throws SinkError `disk-full`; nothing is left then
   */
  static async take(root: string, incarnation: string): Promise<DiskSpool> {
    const directory = join(root, incarnation);
    const owner: Owner = { pid: process.pid, startedAt: (await startTimeOf(process.pid)) ?? '' };
    try {
      await onDisk(async () => {
        await mkdir(directory, { recursive: true });
        await writeFile(join(directory, 'owner.json'), JSON.stringify(owner));
      });
    } catch (error) {
      // A directory that names no owner is soon taken for a dead one's.
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return new DiskSpool(root, directory);
  }

  async open(partition: number, batchId: string): Promise<BatchFiles> {
    const directory = join(this.#directory, `p${partition}`, batchId);
    await onDisk(async () => await mkdir(directory, { recursive: true }));
    return new DiskBatchFiles(this.#root, directory, batchId);
  }

  async left(): Promise<readonly LeftBatch[]> {
    for (const name of await readdir(this.#root)) {
      const dead = join(this.#root, name);
      if (dead === this.#directory || name === setAsideFolder || (await isAlive(dead))) continue;
      // Of several that see a dead one, the rename succeeds for one.
      await rename(dead, join(this.#directory, `claimed-${name}`)).catch(() => undefined);
    }
    // What an attempt that failed half-way had claimed is among them.
    for (const name of await readdir(this.#directory)) if (name.startsWith('claimed-')) await this.#takeOver(join(this.#directory, name));
    return this.#found.splice(0);
  }

  async #takeOver(claimed: string): Promise<void> {
    for (const { partition, directory } of await batchesIn(claimed)) {
      const batchId = basename(directory);
      const mine = join(this.#directory, `p${partition}`, batchId);
      await onDisk(async () => {
        await mkdir(dirname(mine), { recursive: true });
        await rename(directory, mine);
      });
      this.#found.push({ partition, files: new DiskBatchFiles(this.#root, mine, batchId) });
    }
    // Open segments among the rest: a torn tail cannot be trusted, and Kafka has the events.
    await rm(claimed, { recursive: true, force: true });
  }

  /** Removes this incarnation's directory, unless batches wait in it: then it is left to the next one. */
  async release(): Promise<void> {
    if ((await batchesIn(this.#directory)).length === 0) await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Directories of batches with a manifest, those included that a claimant had no time to move. */
async function batchesIn(incarnation: string): Promise<{ readonly partition: number; readonly directory: string }[]> {
  const batches: { partition: number; directory: string }[] = [];
  for (const name of await readdir(incarnation)) {
    const inside = join(incarnation, name);
    if (name.startsWith('claimed-')) batches.push(...(await batchesIn(inside)));
    const partition = /^p(\d+)$/.exec(name)?.[1];
    if (partition === undefined) continue;
    for (const batchId of await readdir(inside)) {
      if (existsSync(join(inside, batchId, manifestFile))) batches.push({ partition: Number(partition), directory: join(inside, batchId) });
    }
  }
  return batches;
}

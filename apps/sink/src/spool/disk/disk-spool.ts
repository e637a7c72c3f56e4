import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemClock, type Clock } from '@millrace/resilience';
import { DiskBatchFiles, manifestFile, setAsideFolder } from './disk-batch-files.ts';
import { isAlive, ownerFile, ownerHere } from './incarnation-owner.ts';
import { onDisk } from './on-disk.ts';
import type { BatchFiles, LeftBatch, Spool } from '../spool.ts';

const heartbeatMs = 5000;

/** Folder of a root with the roots of further streams. */
export const streamsFolder = 'streams';

/**
 * The spool on disk: `<root>/<incarnation>/p<partition>/<batch id>/`. Each incarnation of the process has its own directory. So two sinks
 * on one machine never share a file, and files of a crashed sink are distinct from those of a living one.
 */
export class DiskSpool implements Spool {
  readonly #root: string;
  readonly #directory: string;
  readonly #clock: Clock;
  /** Batches that were found and not returned yet. */
  readonly #found: LeftBatch[] = [];
  #heartbeat: unknown;
  #beating: Promise<void> = Promise.resolve();
  #claiming: Promise<unknown> = Promise.resolve();

  private constructor(root: string, directory: string, clock: Clock) {
    this.#root = root;
    this.#directory = directory;
    this.#clock = clock;
    this.#beatLater();
  }

  /**
   * Takes a directory for this incarnation.
   *
   * @param root the spool's root, shared by the sinks of a machine, or of several on one volume
   * @param incarnation a name no other incarnation has
   * @param clock of the heartbeat. Default: the machine's.
   * @throws SinkError `disk-full`; nothing is left then
   */
  static async take(root: string, incarnation: string, clock: Clock = systemClock): Promise<DiskSpool> {
    const directory = join(root, incarnation);
    try {
      await onDisk(async () => await own(directory));
    } catch (error) {
      // Other sinks soon consider a directory without an owner file dead.
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return new DiskSpool(root, directory, clock);
  }

  async open(partition: number, batchId: string): Promise<BatchFiles> {
    const directory = join(this.#directory, `p${partition}`, batchId);
    await onDisk(async () => await mkdir(directory, { recursive: true }));
    return new DiskBatchFiles(this.#root, directory, batchId);
  }

  async left(): Promise<readonly LeftBatch[]> {
    if (this.#heartbeat === undefined) return [];
    const found = this.#claim();
    this.#claiming = found.catch(() => undefined);
    return await found;
  }

  async #claim(): Promise<readonly LeftBatch[]> {
    for (const name of await readdir(this.#root)) {
      const dead = join(this.#root, name);
      if (dead === this.#directory || name === setAsideFolder || name === streamsFolder || (await isAlive(dead))) continue;
      // If several sinks see a dead one, the rename succeeds for only one of them.
      await rename(dead, join(this.#directory, `claimed-${name}`)).catch(() => undefined);
    }
    // Includes directories that a partly failed attempt had claimed.
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
    // Discard open segments too: their last line may be incomplete, and Kafka has the events.
    await rm(claimed, { recursive: true, force: true });
  }

  /** Removes this incarnation's directory, unless batches wait in it: then it is left to the next one. */
  async release(): Promise<void> {
    this.#clock.clearTimeout(this.#heartbeat);
    this.#heartbeat = undefined;
    await this.#beating;
    // Wait for claims in progress; otherwise their batches would be removed with the directory.
    await this.#claiming;
    if ((await batchesIn(this.#directory)).length === 0) await rm(this.#directory, { recursive: true, force: true });
  }

  #beatLater(): void {
    this.#heartbeat = this.#clock.setTimeout(() => void (this.#beating = this.#beat()), heartbeatMs);
  }

  async #beat(): Promise<void> {
    const now = new Date();
    try {
      await utimes(join(this.#directory, ownerFile), now, now);
    } catch {
      // Another sink claimed the directory while this process was frozen, or somebody deleted it. New files need an owner file again.
      if (this.#heartbeat !== undefined) await own(this.#directory).catch(() => undefined);
    }
    if (this.#heartbeat !== undefined) this.#beatLater();
  }
}

async function own(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, ownerFile), JSON.stringify(await ownerHere()));
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

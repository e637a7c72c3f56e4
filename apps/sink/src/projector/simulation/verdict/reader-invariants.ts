import { currentSnapshot, parseMetadata, readManifest, readManifestList, type ProjectionCommit } from '@millrace/lake';
import { ModelFault } from '../../../simulation/verdict/model-fault.ts';
import type { SimulatedBucket } from '../../../simulation/parts/simulated-store.ts';

/** Objects that a reader of one commit reads, and the time until which the slowest one does. */
interface Reading {
  readonly n: number;
  readonly keys: readonly string[];
  /** Undefined while new readers may begin. */
  until: number | undefined;
}

/**
 * No query fails because an object is gone. A reader begins with the newest commit or with the one that the catalog names. It reads their
 * objects until the grace period ends.
 */
export class ReaderInvariants {
  readonly #bucket: SimulatedBucket;
  readonly #readingMs: number;
  readonly #now: () => number;
  readonly #readings = new Map<number, Reading>();

  /** @param readingMs duration of the longest query */
  constructor(bucket: SimulatedBucket, readingMs: number, now: () => number) {
    this.#bucket = bucket;
    this.#readingMs = readingMs;
    this.#now = now;
  }

  /** Checks every reader. `offered` are the commits with which a reader may begin now. */
  async check(offered: readonly ProjectionCommit[]): Promise<void> {
    const atMs = this.#now();
    for (const commit of offered) {
      const known = this.#readings.get(commit.n);
      if (known === undefined) this.#readings.set(commit.n, { n: commit.n, keys: await this.#keysOf(commit), until: undefined });
      else known.until = undefined;
    }
    for (const reading of this.#readings.values()) {
      if (!offered.some(({ n }) => n === reading.n)) reading.until ??= atMs + this.#readingMs;
      if (reading.until !== undefined && reading.until < atMs) {
        this.#readings.delete(reading.n);
        continue;
      }
      const missing = reading.keys.find((key) => !this.#bucket.objects.has(key));
      if (missing !== undefined) throw new ModelFault(`a reader of commit ${reading.n} misses ${missing}`);
    }
  }

  async #keysOf(commit: ProjectionCommit): Promise<string[]> {
    const list = keyOf(currentSnapshot(parseMetadata(commit.metadata, this.#object(commit.metadata)))!['manifest-list']);
    const keys = [commit.metadata, list];
    for (const { manifest_path: path } of await readManifestList(this.#object(list))) {
      keys.push(keyOf(path));
      for (const entry of await readManifest(this.#object(keyOf(path))))
        if (entry.status !== 2) keys.push(keyOf(entry.data_file.file_path));
    }
    return keys;
  }

  #object(key: string): Uint8Array {
    const bytes = this.#bucket.objects.get(key);
    if (bytes === undefined) throw new ModelFault(`${key} is missing`);
    return bytes;
  }
}

function keyOf(location: string): string {
  return location.replace(/^s3:\/\/[^/]*\//, '');
}

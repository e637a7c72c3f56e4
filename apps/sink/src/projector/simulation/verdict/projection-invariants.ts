import {
  commitKey,
  commitPrefix,
  currentSnapshot,
  parseMetadata,
  readManifest,
  readManifestList,
  type LedgerEntry,
  type ProjectionCommit,
} from '@millrace/lake';
import { ModelFault } from '../../../simulation/verdict/model-fault.ts';
import type { SimulatedBucket } from '../../../simulation/parts/simulated-store.ts';
import type { SharedPointer } from '../parts/simulated-catalog.ts';
import { baseFilesOf } from '../parts/simulated-rewriter.ts';
import { ReaderInvariants } from './reader-invariants.ts';

/** Bucket of the simulation, as locations name it. */
export const simulatedBucket = 'lake';

const scheme = `s3://${simulatedBucket}/`;

/** Checks the projection against the ledger of the simulated sinks. */
export class ProjectionInvariants {
  readonly #bucket: SimulatedBucket;
  readonly #pointer: SharedPointer;
  readonly #table: string;
  readonly #seen = new Map<string, Buffer>();
  #pointed = 0;
  #checked = '';
  /** The commits at a version of the bucket. */
  #commits: { readonly version: number; readonly all: readonly ProjectionCommit[] } | undefined;
  readonly #readers: ReaderInvariants;
  /** Current snapshot of each commit. */
  readonly #snapshots = new Map<number, number>();
  readonly #now: () => number;
  #foreign: string | undefined;

  /** @param readingMs duration of the longest query */
  constructor(bucket: SimulatedBucket, pointer: SharedPointer, table: string, readingMs: number, now: () => number) {
    this.#readers = new ReaderInvariants(bucket, readingMs, now);
    this.#now = now;
    this.#bucket = bucket;
    this.#pointer = pointer;
    this.#table = table;
  }

  /** A foreign writer has moved the pointer. From now on it must not change. */
  markForeign(location: string): void {
    this.#foreign = location;
  }

  commits(): readonly ProjectionCommit[] {
    const version = this.#bucket.version;
    if (this.#commits?.version !== version) {
      const all = this.#bucket.keys(commitPrefix(this.#table)).map((key) => this.#bucket.json(key) as ProjectionCommit);
      this.#commits = { version, all: all.toSorted((a, b) => a.n - b.n) };
    }
    return this.#commits.all;
  }

  /** Rules that hold at every moment. */
  async check(entries: readonly (readonly LedgerEntry[])[]): Promise<void> {
    const version = `${this.#bucket.version} ${this.#pointer.version} ${this.#now()}`;
    if (version === this.#checked) return;
    this.#checked = version;
    this.#checkPointer();
    const commits = this.commits();
    for (const [index, commit] of commits.entries()) {
      const key = commitKey(this.#table, index + 1);
      const bytes = this.#bucket.objects.get(key);
      if (commit.n !== index + 1 || bytes === undefined) throw new ModelFault(`commit ${index + 1} is missing`);
      if (commit.prev !== (commits[index - 1]?.id ?? null)) throw new ModelFault(`commit ${commit.n} does not follow the one before`);
      const seen = this.#seen.get(key);
      if (seen === undefined) {
        this.#seen.set(key, Buffer.from(bytes));
        await this.#checkCommit(commit, commits[index - 1], entries);
      } else if (!seen.equals(bytes)) throw new ModelFault(`commit ${commit.n} changed`);
    }
    for (const key of this.#seen.keys()) if (!this.#bucket.objects.has(key)) throw new ModelFault(`${key} was deleted`);
    const pointed = commits.filter(({ metadata }) => this.#pointer.location?.endsWith(metadata) === true);
    await this.#readers.check([...commits.slice(-1), ...pointed]);
  }

  /** The table of a commit holds exactly the files of the entries up to its position. */
  async #checkCommit(
    commit: ProjectionCommit,
    before: ProjectionCommit | undefined,
    entries: readonly (readonly LedgerEntry[])[],
  ): Promise<void> {
    const expected: string[] = [];
    for (const [partition, chain] of entries.entries()) {
      const to = commit.position[partition]?.to ?? 0;
      if (to < (before?.position[partition]?.to ?? 0)) throw new ModelFault(`commit ${commit.n} moves partition ${partition} back`);
      expected.push(...chain.filter((entry) => entry.to <= to).flatMap((entry) => entry.files.map(({ key }) => key)));
    }
    const metadata = parseMetadata(commit.metadata, this.#object(commit.metadata));
    const snapshot = currentSnapshot(metadata)!;
    const parent = before === undefined ? undefined : this.#snapshots.get(before.n);
    this.#snapshots.set(commit.n, snapshot['snapshot-id']);
    if (before !== undefined && parent !== snapshot['snapshot-id'] && snapshot['parent-snapshot-id'] !== parent)
      throw new ModelFault(`the snapshot of commit ${commit.n} has another parent`);
    const files: string[] = [];
    for (const manifest of await readManifestList(this.#object(keyOf(snapshot['manifest-list'])))) {
      const held = (await readManifest(this.#object(keyOf(manifest.manifest_path)))).filter(({ status }) => status !== 2);
      if (held.length !== manifest.added_files_count + manifest.existing_files_count) throw new ModelFault('a manifest is miscounted');
      files.push(...held.map(({ data_file: file }) => keyOf(file.file_path)));
    }
    const missing = files.find((key) => !this.#bucket.objects.has(key));
    if (missing !== undefined) throw new ModelFault(`commit ${commit.n} names ${missing}, which is not there`);
    const base = files.flatMap((key) => baseFilesOf(key, this.#object(key)));
    if (JSON.stringify(base.toSorted()) !== JSON.stringify(expected.toSorted()))
      throw new ModelFault(
        `commit ${commit.n} holds the rows of ${base.length} files; the ledger has ${expected.length} up to its position`,
      );
    if (commit.files !== files.length) throw new ModelFault(`commit ${commit.n} counts ${commit.files} files of ${files.length}`);
  }

  #checkPointer(): void {
    const { location } = this.#pointer;
    if (location === undefined) return;
    if (this.#foreign !== undefined) {
      if (location !== this.#foreign) throw new ModelFault('the pointer of a foreign writer was overwritten');
      return;
    }
    const commit = this.commits().find(({ metadata }) => metadata === keyOf(location));
    if (commit === undefined) throw new ModelFault(`the pointer names ${location}, which no commit names`);
    if (commit.n < this.#pointed) throw new ModelFault(`the pointer went back from commit ${this.#pointed} to ${commit.n}`);
    this.#pointed = commit.n;
  }

  #object(key: string): Uint8Array {
    const bytes = this.#bucket.objects.get(key);
    if (bytes === undefined) throw new ModelFault(`${key} is missing`);
    return bytes;
  }
}

function keyOf(location: string): string {
  return location.slice(scheme.length);
}

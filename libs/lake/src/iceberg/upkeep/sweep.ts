import { allKeys, type CallOptions } from '../../object-store.ts';
import type { ProjectionCommit } from '../commit-log.ts';
import { readManifestList, type ManifestFile } from '../manifest.ts';
import { commitMaxOf, compactedPrefix, metadataPrefix } from '../projection-keys.ts';
import { parseMetadata, retainedSnapshots } from '../table-metadata.ts';
import type { TableAccess } from '../table-writer.ts';
import { readNeeded } from '../tip.ts';
import { defaultCompaction } from './compaction-plan.ts';
import { ManifestIndex } from './manifest-index.ts';
import { readMarks, writeMarks } from './marks.ts';

/** Settings of a {@link Sweep}. */
export interface SweepSettings {
  /** Milliseconds for which an object stays after nothing references it: longer than the longest query. Default 2 hours. */
  readonly graceMs?: number;
  /** Maximum number of objects that one sweep deletes. Default 10,000. */
  readonly deletionsMax?: number;
}

/** Result of one sweep. */
export interface Swept {
  /** Snapshots that a commit of the sweep dropped from the metadata. */
  readonly expired: number;
  readonly deleted: number;
  /** Objects that wait for the end of the grace period. */
  readonly waiting: number;
}

/** Objects that wait for their deletion, at most: the list of them stays below about 2 MB. */
const marksMax = 20_000;

const deletionsAtOnce = 8;

/**
 * Deletes objects of the projection that no reader can reach: metadata of dropped snapshots, replaced compacted files, leftovers of lost
 * and
 * crashed attempts. Files of the base are outside the prefixes that it lists. Commits are never deleted: they refuse old writers.
 *
 * An object is deleted when all of this holds:
 * - no snapshot of the newest commit references it, and none of the commits that the catalog and the hint name;
 * - the newest commit is not before the last one that may come to reference it ({@link commitMaxOf});
 * - both were seen a grace period ago, so no reader uses it any more.
 */
export class Sweep {
  readonly #table: TableAccess;
  readonly #graceMs: number;
  readonly #deletionsMax: number;
  readonly #index: ManifestIndex;
  /** Manifests of each manifest list that is in use. A list never changes. */
  readonly #lists = new Map<string, readonly ManifestFile[]>();

  constructor(table: TableAccess, { graceMs = 7_200_000, deletionsMax = 10_000 }: SweepSettings = {}) {
    this.#table = table;
    this.#graceMs = graceMs;
    this.#deletionsMax = deletionsMax;
    this.#index = new ManifestIndex(table, { ...defaultCompaction, targetBytes: 0 });
  }

  /**
   * Drops old snapshots of a quiet table, marks unreferenced objects, and deletes the objects that were marked a grace period ago. After
   * a crash at any step, the next sweep continues.
   *
   * @throws LakeError when the store or the catalog does not answer, or `foreign-commit`; what is in use is then not known
   */
  async run(options: CallOptions = {}): Promise<Swept> {
    const { store, stream, now } = this.#table.parts;
    const expired = await this.#expire(options);
    const head = (await this.#table.read(options))?.commit;
    if (head === undefined) return { expired: 0, deleted: 0, waiting: 0 };
    const used = await this.#usedKeys([head, ...(await this.#table.announced(head, options))], options);
    const marks = await readMarks(store, stream.table, options);
    const atMs = now();
    const due: string[] = [];
    const waiting = new Map<string, number>();
    for (const prefix of [metadataPrefix(stream.table), compactedPrefix(stream.table)]) {
      for await (const key of allKeys(store, prefix, options)) {
        const commitMax = commitMaxOf(stream.table, key);
        if (used.has(key) || commitMax === undefined || commitMax > head.n) continue;
        const since = marks.get(key) ?? atMs;
        if (atMs - since >= this.#graceMs && due.length < this.#deletionsMax) due.push(key);
        else if (waiting.size < marksMax) waiting.set(key, since);
      }
    }
    // Marks first: a mark of an object that is gone does no harm.
    if (waiting.size > 0 || marks.size > 0) await writeMarks(store, stream.table, waiting, options);
    for (let start = 0; start < due.length; start += deletionsAtOnce)
      await Promise.all(due.slice(start, start + deletionsAtOnce).map(async (key) => await store.delete(key, options)));
    return { expired, deleted: due.length, waiting: waiting.size };
  }

  /** Appends drop old snapshots themselves. A table that nothing is added to needs a commit for it. */
  async #expire(options: CallOptions): Promise<number> {
    const { retention, now } = this.#table.parts;
    let expired = 0;
    const outcome = await this.#table.commit(async (tip) => {
      if (tip === undefined || now() - tip.commit.atMs < retention.ageMs) return undefined;
      expired = tip.metadata.snapshots.length - retainedSnapshots(tip.metadata, now(), retention).length;
      return expired === 0 ? undefined : { operation: 'expire', added: [] };
    }, options);
    return outcome === 'committed' ? expired : 0;
  }

  /** Keys of every object that a reader of one of the commits can reach. */
  async #usedKeys(commits: readonly ProjectionCommit[], options: CallOptions): Promise<Set<string>> {
    const { parts, uris } = this.#table;
    const used = new Set<string>();
    const lists = new Set<string>();
    for (const metadataKey of new Set(commits.map(({ metadata }) => metadata))) {
      used.add(metadataKey);
      const bytes = await parts.store.get(metadataKey, options);
      // A late write of the hint can name metadata that is gone. No reader can open it.
      if (bytes === undefined && metadataKey !== commits[0]!.metadata) continue;
      const metadata = parseMetadata(metadataKey, bytes ?? (await readNeeded(parts.store, metadataKey, options)));
      for (const snapshot of metadata.snapshots) lists.add(uris.keyOf(snapshot['manifest-list'])!);
    }
    for (const key of this.#lists.keys()) if (!lists.has(key)) this.#lists.delete(key);
    const manifests = new Map<string, ManifestFile>();
    for (const key of lists) {
      used.add(key);
      const list = this.#lists.get(key) ?? (await readManifestList(await readNeeded(parts.store, key, options)));
      this.#lists.set(key, list);
      for (const manifest of list) manifests.set(manifest.manifest_path, manifest);
    }
    this.#index.keepOnly(new Set(manifests.keys()));
    for (const path of manifests.keys()) used.add(uris.keyOf(path)!);
    for (const key of await this.#index.compactedFiles([...manifests.values()], options)) used.add(key);
    return used;
  }
}

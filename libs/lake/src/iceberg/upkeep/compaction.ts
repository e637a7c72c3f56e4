import { LakeError } from '../../errors.ts';
import type { CallOptions, ObjectBody } from '../../object-store.ts';
import { dataFileOf, type Bounds } from '../data-file.ts';
import { compactedKey, readCompactedKey } from '../projection-keys.ts';
import type { CommitOutcome, TableAccess } from '../table-writer.ts';
import type { Tip } from '../tip.ts';
import type { Change } from '../write-commit.ts';
import { defaultCompaction, planCompaction, type CompactionLimits, type CompactionPlan, type SmallFile } from './compaction-plan.ts';
import { ManifestIndex } from './manifest-index.ts';

/** A file to merge. */
export interface RewriteInput {
  readonly key: string;
  /** Bytes and rows as the manifest states them. */
  readonly bytes: number;
  readonly rows: number;
}

/** The rows of several files in one sorted file. */
export interface Rewritten {
  readonly body: ObjectBody;
  readonly bytes: number;
  /** SHA-256 in hex, which the store checks. */
  readonly sha256?: string;
  readonly rows: number;
  readonly seconds: Bounds;
  readonly partitions: Bounds;
  readonly offsets: Bounds;
  /** Rows that the inputs had by their manifests and lost by a repair. */
  readonly lostRows: number;
  /** Deletes the files that the rewriter keeps on disk. */
  dispose(): Promise<void>;
}

/** Merges files of one day. The result holds each row of the inputs once; a rewriter that cannot prove it throws. */
export interface Rewriter {
  rewrite(dt: string, inputs: readonly RewriteInput[], options: CallOptions): Promise<Rewritten>;
}

/** Settings of a {@link Compaction}. */
export interface CompactionSettings {
  readonly limits?: CompactionLimits;
  /** Commits after the plan of a pass, of which one may add its file, ≥ 1. Default 256. A file that leaves the table is kept for as many. */
  readonly commitsMax?: number;
}

/** Result of one pass. */
export interface Pass {
  /** `abandoned`: another projector replaced some of the files first, or too many commits were made meanwhile. */
  readonly outcome: 'committed' | 'abandoned' | 'idle';
  readonly dt?: string;
  /** Files that the pass replaced. */
  readonly files: number;
  readonly rows: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

const idle: Pass = { outcome: 'idle', files: 0, rows: 0, bytesRead: 0, bytesWritten: 0 };

/** Maximum number of small files in one plan. */
const plannedFilesMax = 100_000;

/** Commits that other projectors may make first, before a pass is given up until the next interval. */
const lossesMax = 20;

/**
 * Replaces small files of a day by sorted larger ones in the projection's own prefix. Rows are merged while appends go on; only the commit takes
 * its turn. It counts only if the table still holds every input: then each row stays in the table once.
 */
export class Compaction {
  readonly #table: TableAccess;
  readonly #rewriter: Rewriter;
  readonly #limits: CompactionLimits;
  readonly #commitsMax: number;
  readonly #index: ManifestIndex;
  /** Days whose last pass failed: they wait until every other day is done, so that one damaged file does not stop the others. */
  readonly #postponed = new Set<string>();

  constructor(table: TableAccess, rewriter: Rewriter, { limits = defaultCompaction, commitsMax = 256 }: CompactionSettings = {}) {
    this.#table = table;
    this.#rewriter = rewriter;
    this.#limits = limits;
    this.#commitsMax = commitsMax;
    this.#index = new ManifestIndex(table, limits);
  }

  /**
   * Merges the files of one day, and commits the result.
   *
   * @throws LakeError `foreign-commit` as a round of the projection
   * @throws the error of the rewriter; nothing is committed then
   */
  async pass(options: CallOptions = {}): Promise<Pass> {
    const tip = await this.#table.read(options);
    if (tip === undefined) return idle;
    const files = await this.#smallFiles(tip, options);
    const plan = planCompaction(
      files.filter(({ dt }) => !this.#postponed.has(dt)),
      this.#limits,
    );
    if (plan === undefined) {
      this.#postponed.clear();
      return idle;
    }
    try {
      return await this.#merge(plan, tip, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      this.#postponed.add(plan.dt);
      throw error;
    }
  }

  async #merge(plan: CompactionPlan, tip: Tip, options: CallOptions): Promise<Pass> {
    const { uris, parts } = this.#table;
    const { stream, store, newId } = parts;
    const inputs = plan.inputs.map(({ uri, bytes, rows }) => ({ key: uris.keyOf(uri)!, bytes, rows }));
    const made = await this.#rewriter.rewrite(plan.dt, inputs, options);
    try {
      const key = compactedKey(stream.table, {
        partitionKey: stream.partitionKey,
        value: plan.dt,
        generation: plan.generation,
        commitMax: tip.commit.n + this.#commitsMax,
        id: newId(),
      });
      if (made.rows > 0) await store.put(key, made.body, { ...options, ...(made.sha256 === undefined ? {} : { sha256: made.sha256 }) });
      return await this.#commit(plan, key, made, options);
    } finally {
      await made.dispose();
    }
  }

  async #commit(plan: CompactionPlan, key: string, made: Rewritten, options: CallOptions): Promise<Pass> {
    const { stream } = this.#table.parts;
    const uri = this.#table.uris.uriOf(key);
    const { rows, bytes, seconds, partitions, offsets, lostRows } = made;
    // A repair can leave nothing of the inputs.
    const added = rows === 0 ? [] : [dataFileOf(stream, { uri, dt: plan.dt, rows, bytes, seconds, partitions, offsets })];
    let outcome: CommitOutcome = 'lost';
    for (let losses = 0; outcome === 'lost' && losses < lossesMax; losses += 1) {
      outcome = await this.#table.commit(async (tip): Promise<Change | undefined> => {
        const manifests = await this.#manifestsOf(plan, key, tip, options);
        if (manifests === undefined) return undefined;
        const uris = new Set(plan.inputs.map((file) => file.uri));
        return { operation: 'replace', added, removed: { uris, manifests }, lostRows };
      }, options);
    }
    if (outcome === 'committed') {
      const bytesRead = plan.inputs.reduce((sum, file) => sum + file.bytes, 0);
      return { outcome, dt: plan.dt, files: plan.inputs.length, rows, bytesRead, bytesWritten: rows === 0 ? 0 : bytes };
    }
    // Every commit that named the file lost for certain, so nothing can come to name it.
    if (rows > 0) await this.#table.parts.store.delete(key, options);
    return { ...idle, outcome: 'abandoned', dt: plan.dt };
  }

  /** The manifests that hold the inputs. Undefined when the file must not be added any more. */
  async #manifestsOf(plan: CompactionPlan, key: string, tip: Tip | undefined, options: CallOptions): Promise<Set<string> | undefined> {
    // After that commit the file may be deleted as one that nothing names.
    if (tip === undefined || tip.commit.n >= readCompactedKey(this.#table.parts.stream.table, key)!.commitMax) return undefined;
    const held = new Map((await this.#smallFiles(tip, options)).map((file) => [file.uri, file.manifest]));
    const manifests = plan.inputs.map(({ uri }) => held.get(uri));
    return manifests.includes(undefined) ? undefined : new Set(manifests as string[]);
  }

  async #smallFiles(tip: Tip, options: CallOptions): Promise<SmallFile[]> {
    const files = await this.#index.smallFiles(tip, plannedFilesMax, options);
    this.#index.keepOnly(new Set(tip.manifests.map(({ manifest_path: path }) => path)));
    const outside = files.find(({ uri }) => this.#table.uris.keyOf(uri) === undefined);
    if (outside !== undefined) throw new LakeError('invalid', `the Iceberg table holds ${outside.uri}, which is outside its bucket`);
    return files;
  }
}

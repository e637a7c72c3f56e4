import type { CallOptions } from '../object-store.ts';
import { CatalogFollower, type FollowerParts } from './catalog-follower.ts';
import { CommitLog, type ProjectionCommit } from './commit-log.ts';
import { BucketUris, readTip, readTipToReplace, type Tip } from './tip.ts';
import { writeCommit, type Change, type CommitParts } from './write-commit.ts';

/** Parts of a {@link TableWriter}. */
export type WriterParts = CommitParts & FollowerParts;

/** Result of a commit. `lost`: another writer made the next commit first. `idle`: there was nothing to commit. */
export type CommitOutcome = 'committed' | 'lost' | 'idle';

/**
 * Makes the commits of one Iceberg table. Any number of processes may do so at the same time: put-if-absent of the next commit decides. In one
 * process the commits take turns.
 */
export class TableWriter {
  readonly parts: WriterParts;
  readonly uris: BucketUris;
  readonly #log: CommitLog;
  readonly #follower: CatalogFollower;
  #tip: Tip | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: WriterParts) {
    this.parts = parts;
    this.uris = new BucketUris(parts.bucket);
    this.#log = new CommitLog(parts.store, parts.stream.table);
    this.#follower = new CatalogFollower(parts, this.#log);
  }

  /** The newest commit that this process has seen. */
  get head(): ProjectionCommit | undefined {
    return this.#tip?.commit;
  }

  /** Reads the newest commit and its table. Undefined when there is none. */
  async read(options: CallOptions = {}): Promise<Tip | undefined> {
    return await this.#inTurn(async () => await this.#refresh(options));
  }

  /**
   * Makes one commit on the newest one, and lets the pointer of the catalog follow.
   *
   * @param plan chooses the change, given the table that it changes. Undefined: nothing to commit
   * @throws LakeError `foreign-commit` when the catalog names metadata that no commit names; nothing is committed then
   * @throws the error of the PUT when its outcome is not known. The commit may still be applied later
   */
  async commit(plan: (tip: Tip | undefined) => Promise<Change | undefined>, options: CallOptions = {}): Promise<CommitOutcome> {
    return await this.#inTurn(async () => await this.#commitOn(await this.#refresh(options), plan, options));
  }

  /**
   * Makes one commit that replaces every file of the table, also of one whose metadata cannot be read. Otherwise as {@link commit}.
   *
   * @param plan chooses the files, given the commit that it replaces
   */
  async replaceAll(
    plan: (commit: ProjectionCommit | undefined) => Promise<Change & { readonly operation: 'rebuild' }>,
    options: CallOptions = {},
  ): Promise<CommitOutcome> {
    return await this.#inTurn(async () => {
      const tip = await readTipToReplace(this.parts, this.#log, options);
      return await this.#commitOn(tip, async () => await plan(tip?.commit), options);
    });
  }

  async #commitOn(
    tip: Tip | undefined,
    plan: (tip: Tip | undefined) => Promise<Change | undefined>,
    options: CallOptions,
  ): Promise<CommitOutcome> {
    const pointer = await this.#follower.follow(tip?.commit, options);
    const change = await plan(tip);
    if (change === undefined) return 'idle';
    const next = await writeCommit(this.parts, tip, change, options);
    if (!(await this.#log.commit(next.commit, options))) return 'lost';
    this.#tip = next;
    if (pointer !== undefined) await this.#follower.announce(pointer, next.commit, options);
    return 'committed';
  }

  /** As {@link CatalogFollower.announced}. */
  async announced(newest: ProjectionCommit, options: CallOptions = {}): Promise<ProjectionCommit[]> {
    return await this.#follower.announced(newest, options);
  }

  async #refresh(options: CallOptions): Promise<Tip | undefined> {
    this.#tip = await readTip(this.parts, this.#log, this.#tip, options);
    return this.#tip;
  }

  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }
}

/** The commits of a table, as compaction and deletion use them. */
export type TableAccess = Pick<TableWriter, 'parts' | 'uris' | 'read' | 'commit' | 'announced'>;

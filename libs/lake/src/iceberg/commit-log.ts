import { validatorFor } from '@millrace/contracts';
import { Type, type Static } from 'typebox';
import { LakeError } from '../errors.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { parseStored } from '../parse-stored.ts';
import { commitKey, commitPrefix } from './projection-keys.ts';

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const commitSchema = Type.Object({
  v: Type.Literal(1),
  n: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  id: Type.String({ minLength: 1 }),
  prev: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
  topic: Type.String({ minLength: 1 }),
  metadata: Type.String({ minLength: 1 }),
  position: Type.Record(Type.String({ pattern: '^[0-9]+$' }), Type.Object({ to: count, id: Type.String({ minLength: 1 }) })),
  files: count,
  rows: count,
  lostRows: count,
  atMs: count,
  writer: Type.String({ minLength: 1 }),
});

/**
 * The immutable record of one commit of a projection. Commits form a chain from `n` = 1; `prev` is the id of the one before.
 *
 * `metadata` is the key of the table metadata. `position` holds for each Kafka partition the end and the id of the newest folded ledger
 * entry. `files` and `rows` are totals of the table. `lostRows` counts rows of files that an operator declared lost.
 */
export type ProjectionCommit = Static<typeof commitSchema>;

/** The newest folded entry of each lane, by Kafka partition. */
export type Position = ProjectionCommit['position'];

const validator = validatorFor(commitSchema);

/** Returns the bytes of a commit. The same commit always gives the same bytes. */
export function commitBytes(commit: ProjectionCommit): Uint8Array {
  return Buffer.from(`${JSON.stringify(commit)}\n`);
}

/** The commits of one projection: an append-only chain, extended by put-if-absent. Commits are never changed or deleted. */
export class CommitLog {
  readonly #store: ObjectStore;
  readonly #table: string;

  constructor(store: ObjectStore, table: string) {
    this.#store = store;
    this.#table = table;
  }

  /** Reads the newest commit. Undefined without a commit. It costs one LIST and at most one GET. */
  async head(known: ProjectionCommit | undefined, options: CallOptions = {}): Promise<ProjectionCommit | undefined> {
    const [key] = await this.#store.list(commitPrefix(this.#table), { ...options, limit: 1 });
    if (key === undefined) return undefined;
    // A commit never changes.
    if (known !== undefined && key === commitKey(this.#table, known.n)) return known;
    const bytes = await this.#store.get(key, options);
    if (bytes === undefined) throw new LakeError('bad-entry', `${key} is listed but not there`, { key });
    return this.#parse(key, bytes);
  }

  /** Reads commit `n`. Undefined without a commit. */
  async get(n: number, options: CallOptions = {}): Promise<ProjectionCommit | undefined> {
    const key = commitKey(this.#table, n);
    const bytes = await this.#store.get(key, options);
    return bytes === undefined ? undefined : this.#parse(key, bytes);
  }

  /**
   * Commits, if no other writer made commit `n` first. Every object that the commit names must exist. Returns whether the commit is ours.
   *
   * After a failed PUT the object decides: the PUT may have been applied without an answer.
   *
   * @throws the PUT's error when there is no commit `n` yet. The PUT may still be applied later; read the head again before anything else
   */
  async commit(commit: ProjectionCommit, options: CallOptions = {}): Promise<boolean> {
    const key = commitKey(this.#table, commit.n);
    const bytes = commitBytes(commit);
    try {
      await this.#store.put(key, bytes, { ...options, ifAbsent: true, contentType: 'application/json' });
      return true;
    } catch (error) {
      options.signal?.throwIfAborted();
      const found = await this.#store.get(key, options);
      if (found === undefined) throw error;
      return Buffer.from(found).equals(bytes);
    }
  }

  #parse(key: string, bytes: Uint8Array): ProjectionCommit {
    const commit = parseStored(key, bytes, validator);
    if (commitKey(this.#table, commit.n) !== key) throw new LakeError('bad-entry', `${key} holds commit ${commit.n}`, { key });
    return commit;
  }
}

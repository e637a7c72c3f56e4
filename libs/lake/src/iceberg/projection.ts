import { chainStart } from '../chain.ts';
import { LakeError } from '../errors.ts';
import type { LaneId } from '../keys.ts';
import { lanesOfTopic } from '../lanes.ts';
import type { CallOptions } from '../object-store.ts';
import type { Position, ProjectionCommit } from './commit-log.ts';
import { dataFileOf, type DataFile } from './data-file.ts';
import { readLanded, type FoundFile } from './read-landed.ts';
import { defaultRetention, type Retention } from './table-metadata.ts';
import { TableWriter, type CommitOutcome, type WriterParts } from './table-writer.ts';

/** Parts of a projection. */
export interface ProjectionParts extends Omit<WriterParts, 'retention'> {
  /** Limits of the snapshots that the metadata lists. Default {@link defaultRetention}. */
  readonly retention?: Retention;
  /** Files of one lane that one commit adds, about; an entry is never divided. Default 500. */
  readonly filesPerLaneMax?: number;
  /** Reads the number of rows of a file from its footer. */
  readonly rowsOf: (key: string, bytes: number) => Promise<number>;
}

/** Result of one round. */
export interface Round {
  /** `committed`: a commit is ours. `lost`: another projector made the next commit first. `idle`: nothing had landed. */
  readonly outcome: CommitOutcome;
  readonly files: number;
  readonly rows: number;
  /** Whether the limit of files was reached, so that more may have landed. */
  readonly more: boolean;
}

/** Result of a rebuild. */
export interface Rebuilt {
  /** The commit that the rebuild replaced. Undefined when the table had none. */
  readonly before: ProjectionCommit | undefined;
  readonly commit: ProjectionCommit;
}

/** Commits that projectors may make while one attempt at a rebuild writes its manifests. Each costs one more attempt. */
const rebuildLossesMax = 20;

/** Entries that landed after a commit. */
interface Landed {
  readonly files: readonly FoundFile[];
  /** Undefined when nothing landed. */
  readonly position: Position | undefined;
  readonly lostRows: number;
  readonly more: boolean;
}

/**
 * The Iceberg table over the landed files of one stream. Any number of processes may run rounds at the same
 * time: put-if-absent of the next commit decides. Each commit holds the position up to which it folded the ledger. So every landed file is
 * in the table once.
 */
export class Projection {
  /** Makes the commits. Compaction and deletion of the same process share it. */
  readonly table: TableWriter;
  readonly #parts: ProjectionParts;

  constructor(parts: ProjectionParts) {
    this.#parts = parts;
    this.table = new TableWriter({ ...parts, retention: parts.retention ?? defaultRetention });
  }

  /** The newest commit that this process has seen. */
  get head(): ProjectionCommit | undefined {
    return this.table.head;
  }

  /**
   * Folds the entries that landed after the newest commit into one more commit, and lets the pointer of the catalog follow.
   *
   * @throws LakeError `foreign-commit` when the catalog names metadata that no commit names; nothing is committed then
   */
  async round(options: CallOptions = {}): Promise<Round> {
    let landed: Landed | undefined;
    const outcome = await this.table.commit(async (tip) => {
      landed = await this.#readLanes(tip?.commit.position ?? {}, options);
      const { files, position, lostRows } = landed;
      if (position === undefined) return undefined;
      return { operation: 'append', added: files.map((found) => this.#dataFile(found)), position, lostRows };
    }, options);
    if (outcome !== 'committed') return { outcome, files: 0, rows: 0, more: outcome === 'lost' };
    const { files, more } = landed!;
    return { outcome, files: files.length, rows: files.reduce((sum, file) => sum + file.rows, 0), more };
  }

  /**
   * Makes the table anew from the start of the ledger: one commit replaces every file, compacted ones included. Its position is never before
   * that of the commit it replaces. Older snapshots stay listed for their time. A rebuild that ends in the middle leaves the table as it was.
   * Memory: about 3 KB for each landed file.
   *
   * @param onFiles receives the number of files that were found so far
   * @throws LakeError `invalid` when the ledger ends before the position of the table, or when nothing has landed
   * @throws LakeError `exists` when projectors made twenty commits first
   */
  async rebuild({ onFiles, ...options }: CallOptions & { readonly onFiles?: (count: number) => void } = {}): Promise<Rebuilt> {
    const { table } = this.#parts.stream;
    const files: DataFile[] = [];
    let position: Position = {};
    let lostRows = 0;
    const catchUp = async (): Promise<void> => {
      for (let more = true; more;) {
        const landed = await this.#readLanes(position, options);
        for (const found of landed.files) files.push(this.#dataFile(found));
        lostRows += landed.lostRows;
        ({ more } = landed);
        position = landed.position ?? position;
        onFiles?.(files.length);
      }
    };
    // The long part comes first: in its turn, the commit only reads what landed meanwhile.
    await catchUp();
    for (let losses = 0; losses < rebuildLossesMax; losses += 1) {
      let before: ProjectionCommit | undefined;
      const outcome = await this.table.replaceAll(async (commit) => {
        before = commit;
        await catchUp();
        refuseBehind(table, position, commit?.position ?? {});
        // Manifests of few days each let engines skip the others.
        const added = files.toSorted((a, b) => (dayOf(a) < dayOf(b) ? -1 : 1));
        return { operation: 'rebuild', added, position, lostRows };
      }, options);
      if (outcome === 'committed') return { before, commit: this.table.head! };
    }
    throw new LakeError(
      'exists',
      `projectors made ${rebuildLossesMax} commits of ${table} before the rebuild could make one; run it again`,
    );
  }

  async #lanes(options: CallOptions = {}): Promise<LaneId[]> {
    const { store, stream } = this.#parts;
    return await lanesOfTopic(store, { table: stream.table, topic: stream.topic.name }, options);
  }

  async #readLanes(before: Position, options: CallOptions): Promise<Landed> {
    const { store, filesPerLaneMax = 500, rowsOf } = this.#parts;
    const lanes = await this.#lanes(options);
    const parts = await Promise.all(
      lanes.map(async (lane) => ({
        lane,
        part: await readLanded(store, lane, before[lane.partition] ?? chainStart, { ...options, filesMax: filesPerLaneMax, rowsOf }),
      })),
    );
    const position: Position = { ...before };
    let moved = false;
    for (const { lane, part } of parts) {
      if (part.end.id === null || part.end.id === before[lane.partition]?.id) continue;
      position[lane.partition] = { to: part.end.to, id: part.end.id };
      moved = true;
    }
    return {
      files: parts.flatMap(({ part }) => part.files),
      position: moved ? position : undefined,
      lostRows: parts.reduce((sum, { part }) => sum + part.lostRows, 0),
      more: parts.some(({ part }) => part.files.length >= filesPerLaneMax),
    };
  }

  #dataFile({ partition, entry, file, bytes, rows }: FoundFile): DataFile {
    return dataFileOf(this.#parts.stream, {
      uri: this.table.uris.uriOf(file.key),
      dt: file.dt,
      rows,
      bytes,
      seconds: [file.minTimestamp, file.maxTimestamp],
      partitions: [partition, partition],
      offsets: [entry.from, entry.to - 1],
    });
  }
}

function dayOf({ partition }: DataFile): string {
  return Object.values(partition).join('/');
}

function refuseBehind(table: string, position: Position, before: Position): void {
  if (Object.keys(position).length === 0) throw new LakeError('invalid', `nothing has landed in the table ${table} yet`);
  for (const [partition, { to }] of Object.entries(before)) {
    const end = position[partition]?.to ?? 0;
    if (end < to) {
      throw new LakeError(
        'invalid',
        `the ledger of ${table} ends at offset ${end} of partition ${partition}, before the position ${to} of its Iceberg table; run ./millrace audit`,
      );
    }
  }
}

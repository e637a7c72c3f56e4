import type { ProjectionAudit } from '@millrace/contracts';
import { getCheckpoint } from '../checkpoint/checkpoint.ts';
import { LaneFold, noTotals, type LaneTotals } from '../checkpoint/lane-fold.ts';
import { readEntries } from '../checkpoint/read-entries.ts';
import { isLakeError } from '../errors.ts';
import { compactedPrefix } from '../iceberg/projection-keys.ts';
import type { SnapshotFile, TableFiles, TableSnapshot } from '../iceberg/table-files.ts';
import { allObjects } from '../object-store.ts';
import { lostMetadata, type FileAuditParts } from './file-audit.ts';
import type { LanePlan } from './lane-plan.ts';

/** Remedy of every fault of the kind `projection`. */
export const rebuildRemedy = 'Run ./millrace lake rebuild, which makes the Iceberg table anew from the ledger while queries continue.';

/** The projection as an audit reads it. One instance for many audits keeps the manifests that it has read. */
export type AuditedProjection = Pick<TableFiles, 'newest' | 'filesIn'>;

/** Compares one snapshot of the Iceberg table with the ledger up to the position of the snapshot. */
export class SnapshotAudit {
  readonly #parts: FileAuditParts;
  readonly #table: string;
  readonly #projection: AuditedProjection;
  readonly #snapshot: TableSnapshot;
  readonly #files: readonly SnapshotFile[];
  /** Sizes that the manifests state, by the key of the files that no listing has shown yet. */
  readonly #unseen: Map<string, number>;
  /** Totals of each partition up to its position. */
  readonly #totals = new Map<number, LaneTotals>();

  private constructor(
    parts: FileAuditParts,
    table: string,
    projection: AuditedProjection,
    snapshot: TableSnapshot,
    files: readonly SnapshotFile[],
  ) {
    this.#parts = parts;
    this.#table = table;
    this.#projection = projection;
    this.#snapshot = snapshot;
    this.#files = files;
    this.#unseen = new Map(files.map(({ key, bytes }) => [key, bytes]));
  }

  /**
   * Reads the newest snapshot. Read it before the ledger: then the ledger holds its position. Undefined without an Iceberg table, and when
   * the process may not read it. Undefined also when the table cannot be read, which is a fault.
   */
  static async open(parts: FileAuditParts, table: string, projection: AuditedProjection): Promise<SnapshotAudit | undefined> {
    try {
      const snapshot = await projection.newest(parts.call);
      if (snapshot === undefined) return undefined;
      const files = await projection.filesIn(snapshot, () => true, parts.call);
      return new SnapshotAudit(parts, table, projection, snapshot, files);
    } catch (error) {
      if (isLakeError(error, 'denied')) return undefined;
      if (!isLakeError(error, 'bad-entry')) throw error;
      parts.findings.fault({
        kind: 'projection',
        ...(error.key === undefined ? {} : { key: error.key }),
        what: `The Iceberg table of ${table} cannot be read: ${error.message}.`,
        next: rebuildRemedy,
      });
      return undefined;
    }
  }

  /** Takes note of an object that a listing shows. */
  see(key: string, bytes: number): void {
    if (this.#unseen.get(key) === bytes) this.#unseen.delete(key);
  }

  /** Takes note of the totals of a lane while an audit reads its entries. */
  onTotals(partition: number, end: number, totals: () => LaneTotals): void {
    if (this.#snapshot.position[partition]?.to === end) this.#totals.set(partition, totals());
  }

  /** Compares the snapshot with the lanes, once every object of the base was listed. */
  async finish(plans: readonly LanePlan[]): Promise<ProjectionAudit> {
    const { commit, position } = this.#snapshot;
    this.#compareWithCommit();
    await this.#lookForFiles();
    const lanes = new Map(plans.filter(({ lane }) => lane.topic === commit.topic).map((plan) => [plan.lane.partition, plan]));
    const totals: LaneTotals[] = [];
    for (const [partition, { to, id }] of Object.entries(position)) {
      const plan = lanes.get(Number(partition));
      const found = plan === undefined ? undefined : (this.#totals.get(Number(partition)) ?? (await this.#totalsTo(plan, to)));
      if (found?.to === to && found.id === id) totals.push(found);
      else
        this.#fault(
          `Commit ${commit.n} of the Iceberg table names offset ${to} of partition ${partition} as its position, where no entry of the ledger with its id ends.`,
        );
    }
    if (totals.length === Object.keys(position).length) this.#compareRows(totals);
    const { files, rows, lostRows } = commit;
    return { commit: commit.n, files, rows, lostRows, bytes: this.#files.reduce((sum, file) => sum + file.bytes, 0) };
  }

  #fault(what: string, key?: string): void {
    this.#parts.findings.fault({ kind: 'projection', ...(key === undefined ? {} : { key }), what, next: rebuildRemedy });
  }

  #compareWithCommit(): void {
    const { commit } = this.#snapshot;
    const seen = new Set<string>();
    for (const { key, rows } of this.#files) {
      if (seen.has(key)) this.#fault(`The Iceberg table holds ${key} more than once: readers see its ${rows} rows several times.`, key);
      seen.add(key);
    }
    const rows = this.#files.reduce((sum, file) => sum + file.rows, 0);
    if (this.#files.length === commit.files && rows === commit.rows) return;
    this.#fault(
      `Commit ${commit.n} of the Iceberg table counts ${commit.files} files with ${commit.rows} rows, where its manifests have ${this.#files.length} files with ${rows} rows.`,
    );
  }

  async #lookForFiles(): Promise<void> {
    const { store, call } = this.#parts;
    for await (const { key, bytes } of allObjects(store, compactedPrefix(this.#table), call)) this.see(key, bytes);
    for (const [key, bytes] of this.#unseen) {
      const found = await store.size(key, call);
      if (found === bytes) continue;
      // The next merge of the day leaves a repaired file out.
      if (found !== undefined && (await store.metadata(key, call))?.[lostMetadata] !== undefined) continue;
      // The projection moved on while this audit was slow, and the file was deleted after the grace period.
      if ((await this.#projection.newest(call))?.id !== this.#snapshot.id) return;
      this.#fault(
        found === undefined
          ? `The Iceberg table names ${key}, which is not there: its readers fail.`
          : `${key} has ${found} bytes where the Iceberg table says ${bytes}.`,
        key,
      );
    }
  }

  /** The totals of a lane up to a position below its newest checkpoint. Undefined when no entry ends there, or one cannot be read. */
  async #totalsTo({ lane, froms, ends }: LanePlan, to: number): Promise<LaneTotals | undefined> {
    const { store, call } = this.#parts;
    let before: LaneTotals = noTotals;
    for (const end of ends.filter((one) => one <= to).toReversed()) {
      const checkpoint = await getCheckpoint(store, lane, end, call);
      if (checkpoint === undefined) continue;
      before = checkpoint;
      break;
    }
    const fold = new LaneFold(before);
    try {
      const starts = froms.filter((from) => from >= before.to && from < to);
      for await (const entry of readEntries(store, lane, starts, call)) fold.add(entry);
    } catch (error) {
      // The audit of the lane names the entry.
      if (isLakeError(error, 'bad-entry')) return undefined;
      throw error;
    }
    return fold.totals;
  }

  #compareRows(lanes: readonly LaneTotals[]): void {
    const { commit } = this.#snapshot;
    const days = new Map<string, { base: number; iceberg: number }>();
    const dayOf = (dt: string): { base: number; iceberg: number } => {
      const day = days.get(dt) ?? { base: 0, iceberg: 0 };
      days.set(dt, day);
      return day;
    };
    for (const { days: some } of lanes) for (const [dt, { rows }] of Object.entries(some)) dayOf(dt).base += rows;
    for (const { partition, rows } of this.#files) dayOf(partition).iceberg += rows;
    let lacking = 0;
    for (const [dt, { base, iceberg }] of [...days].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      lacking += base - iceberg;
      // A repair leaves a day with fewer rows. Only the sum is known, not the day.
      if (iceberg > base || (iceberg < base && commit.lostRows === 0))
        this.#fault(`The Iceberg table has ${iceberg} rows of ${dt}, where the ledger has ${base} up to the table's position.`);
    }
    if (lacking > 0 && commit.lostRows > 0 && lacking !== commit.lostRows)
      this.#fault(
        `The Iceberg table has ${lacking} rows fewer than the ledger up to its position, where ${commit.lostRows} are known to be lost.`,
      );
  }
}

/** What an audit found: everything there, something known to be lost, or something that does not add up. */
export type AuditVerdict = 'complete' | 'losses' | 'faulty';

/** Kinds of what does not add up. */
export type AuditFaultKind =
  /** Entries are no path from offset 0 to the head, or one cannot be read. */
  | 'chain'
  /** A file that an entry names is not there: someone deleted it. */
  | 'missing-file'
  /** A file is there and is not what its entry says. */
  | 'wrong-file'
  /** A visible file that no entry names. */
  | 'stray-file'
  /** Offsets are not accounted for, or more than once. */
  | 'wrong-count'
  /** The catalog and the table are out of step. */
  | 'catalog';

/** Something that does not add up. */
export interface AuditFault {
  readonly kind: AuditFaultKind;
  /** One sentence. */
  readonly what: string;
  /** What to do about it. */
  readonly next: string;
  readonly partition?: number;
  readonly key?: string;
}

/** Events known to be lost to the table. */
export interface AuditLoss {
  /** `retention`: the log no longer held them. `by-hand`: a file was deleted, and `./millrace repair` put an empty one in its place. */
  readonly kind: 'retention' | 'by-hand';
  readonly what: string;
  readonly partition: number;
  /** How many offsets. */
  readonly offsets: number;
  readonly key?: string;
}

/** One lane as audited: rows + rejected + dropped + absent + lost + gap = spanned, when nothing is wrong. */
export interface LaneAudit {
  readonly topic: string;
  readonly partition: number;
  /** Entries of the ledger, the unlanded head included. */
  readonly entries: number;
  /** Offsets [0, spanned) have landed. */
  readonly spanned: number;
  /** Rows in the objects themselves, where they were read; otherwise as their checkpoint says. */
  readonly rows: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly absent: number;
  /** Rows of files that were lost and repaired. */
  readonly lost: number;
  /** Offsets that the log no longer held. */
  readonly gap: number;
  /** Offsets of the head when it has not landed yet; they are in none of the counts above. */
  readonly unlanded: number;
  readonly files: number;
  readonly bytes: number;
  /** Up to where the entries were taken from a checkpoint and not read. */
  readonly checkpointTo: number;
  /** Files whose rows were read from the objects. */
  readonly filesRead: number;
}

/** The catalog's part. */
export interface CatalogAudit {
  readonly registered: number;
  /** Values of the partition key that have files and are not registered. */
  readonly missing: readonly string[];
  /** Values that are registered and have no files. */
  readonly empty: readonly string[];
}

/** The report of an audit. */
export interface AuditReport {
  readonly v: 1;
  readonly table: string;
  readonly verdict: AuditVerdict;
  /** Start, ISO 8601. */
  readonly at: string;
  readonly tookMs: number;
  /** Whether every entry and every byte was read. */
  readonly deep: boolean;
  readonly lanes: readonly LaneAudit[];
  /** Absent when the catalog was not asked. */
  readonly catalog?: CatalogAudit;
  readonly losses: readonly AuditLoss[];
  /** Offsets over all losses. */
  readonly lostOffsets: number;
  /** The first thousand faults. */
  readonly faults: readonly AuditFault[];
  /** All of them. */
  readonly faultCount: number;
}

/** Most faults and most losses that a report names; the rest is counted. */
export const findingsMax = 1000;

/** Collects what an audit finds, within a limit. */
export class AuditFindings {
  readonly faults: AuditFault[] = [];
  readonly losses: AuditLoss[] = [];
  faultCount = 0;
  lostOffsets = 0;

  fault(fault: AuditFault): void {
    this.faultCount += 1;
    if (this.faults.length < findingsMax) this.faults.push(fault);
  }

  loss(loss: AuditLoss): void {
    this.lostOffsets += loss.offsets;
    if (this.losses.length < findingsMax) this.losses.push(loss);
  }

  get verdict(): AuditVerdict {
    if (this.faultCount > 0) return 'faulty';
    return this.lostOffsets > 0 ? 'losses' : 'complete';
  }
}

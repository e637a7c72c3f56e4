/** Verdict of an audit: everything exists, known events are lost, or something does not add up. */
export type AuditVerdict = 'complete' | 'losses' | 'faulty';

/** Kinds of faults. */
export type AuditFaultKind =
  /** The entries form no path from offset 0 to the head, or one cannot be read. */
  | 'chain'
  /** A file that an entry names does not exist: someone deleted it. */
  | 'missing-file'
  /** A file differs from its entry. */
  | 'wrong-file'
  /** No entry names a visible file. */
  | 'stray-file'
  /** An offset is not accounted for, or is accounted for more than once. */
  | 'wrong-count'
  /** The catalog differs from the table. */
  | 'catalog';

/** A fault of the table. */
export interface AuditFault {
  readonly kind: AuditFaultKind;
  /** The fault in one sentence. */
  readonly what: string;
  /** The remedy. */
  readonly next: string;
  readonly partition?: number;
  readonly key?: string;
}

/** Events known to be lost to the table. */
export interface AuditLoss {
  /** `retention`: the log no longer had them. `by-hand`: a file was deleted, and `./millrace repair` replaced it by an empty one. */
  readonly kind: 'retention' | 'by-hand';
  readonly what: string;
  readonly partition: number;
  /** Number of offsets. */
  readonly offsets: number;
  readonly key?: string;
}

/** Counts of one lane. Without a fault, rows + rejected + dropped + absent + lost + gap = spanned. */
export interface LaneAudit {
  readonly topic: string;
  readonly partition: number;
  /** Entries of the ledger, the unlanded head included. */
  readonly entries: number;
  /** Offsets [0, spanned) have landed. */
  readonly spanned: number;
  /** Rows of the objects that were read, and of the checkpoint for the others. */
  readonly rows: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly absent: number;
  /** Rows of files that were lost and repaired. */
  readonly lost: number;
  /** Offsets that the log no longer had. */
  readonly gap: number;
  /** Offsets of a head that has not landed yet. No other count includes them. */
  readonly unlanded: number;
  readonly files: number;
  readonly bytes: number;
  /** The checkpoint covers the entries below this offset; they were not read. */
  readonly checkpointTo: number;
  /** Files whose rows were read from the objects. */
  readonly filesRead: number;
}

/** Comparison with the catalog. */
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
  /** Number of all faults. */
  readonly faultCount: number;
}

/** Maximum number of faults and of losses that a report names. The rest is counted. */
export const findingsMax = 1000;

/** Collects the findings of an audit within a limit. */
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

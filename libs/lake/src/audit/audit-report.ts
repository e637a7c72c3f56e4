import type { AuditFault, AuditLoss, AuditVerdict } from '@millrace/contracts';

export type { AuditFault, AuditLoss, AuditReport, AuditVerdict, CatalogAudit, LaneAudit, ProjectionAudit } from '@millrace/contracts';

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

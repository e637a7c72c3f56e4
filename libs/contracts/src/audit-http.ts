import { Type } from 'typebox';
import type { Plain } from './plain.ts';

const count = (description: string): ReturnType<typeof Type.Integer> => Type.Integer({ minimum: 0, description });

/** Schema of {@link AuditVerdict}. */
export const auditVerdictSchema = Type.Enum(['complete', 'losses', 'faulty'], {
  description:
    '`complete`: everything exists. `losses`: everything adds up, and known events are lost. `faulty`: something does not add up',
});

/** Verdict of an audit. */
export type AuditVerdict = Plain<typeof auditVerdictSchema>;

/** Schema of {@link AuditFault}. */
export const auditFaultSchema = Type.Object(
  {
    kind: Type.Enum(['chain', 'missing-file', 'wrong-file', 'stray-file', 'wrong-count', 'catalog', 'projection'], {
      description: [
        '`chain`: the entries form no path from offset 0 to the head, or one cannot be read',
        '`missing-file`: a file that an entry names does not exist',
        '`wrong-file`: a file differs from its entry',
        '`stray-file`: no entry names a visible file',
        '`wrong-count`: an offset is not accounted for, or is accounted for more than once',
        '`catalog`: the catalog differs from the table',
        '`projection`: the Iceberg table differs from the ledger up to its position',
      ].join('. '),
    }),
    what: Type.String({ description: 'The fault in one sentence' }),
    next: Type.String({ description: 'The remedy' }),
    partition: Type.Optional(count('Partition of the fault')),
    key: Type.Optional(Type.String({ description: 'Key of the object' })),
  },
  { title: 'AuditFault', description: 'A fault of the table.' },
);

/** A fault of the table. */
export type AuditFault = Plain<typeof auditFaultSchema>;

/** Schema of {@link AuditLoss}. */
export const auditLossSchema = Type.Object(
  {
    kind: Type.Enum(['retention', 'by-hand'], {
      description:
        '`retention`: the log no longer had the events. `by-hand`: a file was deleted, and `./millrace repair` replaced it by an empty one',
    }),
    what: Type.String({ description: 'The loss in one sentence' }),
    partition: count('Partition of the events'),
    offsets: count('Number of offsets'),
    key: Type.Optional(Type.String({ description: 'Key of the file' })),
  },
  { title: 'AuditLoss', description: 'Events known to be lost to the table.' },
);

/** Events known to be lost to the table. */
export type AuditLoss = Plain<typeof auditLossSchema>;

/** Schema of {@link LaneAudit}. */
export const laneAuditSchema = Type.Object(
  {
    topic: Type.String(),
    partition: count('Partition of the topic'),
    entries: count('Entries of the ledger, the unlanded head included'),
    spanned: count('Offsets [0, spanned) have landed'),
    rows: count('Rows of the objects that were read, and of the checkpoint for the others'),
    rejected: count('Offsets in reject files'),
    dropped: count('Offsets of duplicates'),
    absent: count('Offsets without a record'),
    lost: count('Rows of files that were lost and repaired'),
    gap: count('Offsets that retention had removed from the log'),
    unlanded: count('Offsets of a head that has not landed yet. No other count includes them'),
    files: count('Files of the lane'),
    bytes: count('Bytes of these files'),
    checkpointTo: count('The checkpoint covers the entries below this offset; they were not read'),
    filesRead: count('Files whose rows were read from the objects'),
  },
  { title: 'LaneAudit', description: 'Counts of one lane. Without a fault, rows + rejected + dropped + absent + lost + gap = spanned.' },
);

/** Counts of one lane. Without a fault, rows + rejected + dropped + absent + lost + gap = spanned. */
export type LaneAudit = Plain<typeof laneAuditSchema>;

/** Schema of {@link CatalogAudit}. */
export const catalogAuditSchema = Type.Object(
  {
    registered: count('Registered values of the partition key'),
    missing: Type.Array(Type.String(), { description: 'Values of the partition key that have files and are not registered' }),
    empty: Type.Array(Type.String(), { description: 'Values that are registered and have no files' }),
  },
  { title: 'CatalogAudit', description: 'Comparison with the catalog.' },
);

/** Comparison with the catalog. */
export type CatalogAudit = Plain<typeof catalogAuditSchema>;

/** Schema of {@link ProjectionAudit}. */
export const projectionAuditSchema = Type.Object(
  {
    commit: count('Number of the compared commit'),
    files: count('Data files of the Iceberg table'),
    rows: count('Rows of the Iceberg table'),
    lostRows: count('Rows of files that were lost and repaired before they came into the Iceberg table'),
    bytes: count('Bytes of its data files'),
    comparedRows: Type.Optional(count('Rows of compacted files that a deep audit compared with the base by place and by value')),
  },
  { title: 'ProjectionAudit', description: 'Comparison of the Iceberg table with the ledger up to its position.' },
);

/** Comparison of the Iceberg table with the ledger up to its position. */
export type ProjectionAudit = Plain<typeof projectionAuditSchema>;

/** Schema of {@link AuditReport}. */
export const auditReportSchema = Type.Object(
  {
    v: Type.Literal(1),
    table: Type.String({ description: 'Prefix of the table in the bucket' }),
    verdict: auditVerdictSchema,
    at: Type.String({ description: 'Start of the audit, ISO 8601' }),
    tookMs: count('Duration in milliseconds'),
    deep: Type.Boolean({ description: 'Whether every entry and every byte was read' }),
    lanes: Type.Array(laneAuditSchema),
    catalog: Type.Optional(catalogAuditSchema),
    projection: Type.Optional(projectionAuditSchema),
    losses: Type.Array(auditLossSchema, { description: 'The first thousand losses' }),
    lostOffsets: count('Offsets of all losses'),
    faults: Type.Array(auditFaultSchema, { description: 'The first thousand faults' }),
    faultCount: count('Number of all faults'),
  },
  { title: 'AuditReport', description: 'The report of an audit.' },
);

/** The report of an audit. */
export type AuditReport = Plain<typeof auditReportSchema>;

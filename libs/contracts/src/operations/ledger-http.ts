import { Type } from 'typebox';
import { auditReportSchema } from '../audit-http.ts';
import type { Plain } from '../plain.ts';
import { problemSchema } from '../problem.ts';

/** Limits of the routes for the ledger. */
export const ledgerLimits = { stepsMax: 240, stepsDefault: 120, listedEntriesMax: 200, gapsMax: 100, spanMsMin: 1000 } as const;

const count = (description: string): ReturnType<typeof Type.Integer> => Type.Integer({ minimum: 0, description });
const at = (what: string): ReturnType<typeof Type.String> => Type.String({ description: `${what}, ISO 8601 in UTC` });
const partition = count('Partition of the topic');

const fates = {
  rows: count('Rows'),
  rejected: count('Offsets in reject files'),
  dropped: count('Offsets of duplicates'),
  absent: count('Offsets without a record'),
  gap: count('Offsets that retention had removed from the log'),
};

const stepSchema = Type.Object(
  {
    step: count('Number of the step, from 0'),
    entries: count('Entries that were recorded in the step'),
    offsets: count('Offsets that they span'),
    ...fates,
    unread: count('Entries that were not read yet: only `entries` and `offsets` include them'),
  },
  { title: 'LedgerStep', description: 'The entries of one lane in one step of time.' },
);

const entrySchema = Type.Object(
  {
    partition,
    from: count('First offset'),
    to: count('Offset after the last one'),
    at: at('Time at which the entry was recorded'),
    id: Type.String({ description: 'Identity of the batch' }),
    kind: Type.Enum(['batch', 'gap'], { description: '`gap`: the log no longer had the offsets' }),
    ...fates,
    files: Type.Array(
      Type.Object({
        key: Type.String(),
        dt: Type.String({ description: 'Value of the partition key' }),
        rows: count('Rows'),
        bytes: count('Bytes'),
      }),
      { description: 'Parquet files that the entry names' },
    ),
    rejectFile: Type.Optional(Type.String({ description: 'Key of its reject file' })),
    reason: Type.Optional(Type.String({ description: 'Reason of a gap' })),
    writer: Type.String({ description: 'Process that recorded it' }),
    contract: Type.String({ description: 'Version of the contract' }),
  },
  { title: 'LedgerEntryView', description: 'One entry of a ledger.' },
);

/** Schema of {@link LedgerTimeline}. */
export const ledgerTimelineSchema = Type.Object(
  {
    table: Type.String(),
    topic: Type.String(),
    from: at('Begin of the time range'),
    to: at('End of the time range'),
    stepMs: Type.Number({ minimum: 0, description: 'Length of one step in milliseconds' }),
    entries: count('Entries of every lane in the time range'),
    unread: count('Entries of the time range that were not read yet. Ask again: each answer reads some more'),
    listedFrom: at('Time from which every entry is listed. It is later than `from` where there are too many entries'),
    lanes: Type.Array(
      Type.Object(
        {
          partition,
          to: count('Offset after the newest entry'),
          isLanded: Type.Boolean({ description: 'Whether every file of the newest entry exists' }),
          recordedAt: Type.Optional(at('Time of the newest entry')),
          steps: Type.Array(stepSchema, { description: 'Steps with entries, the oldest first' }),
        },
        { title: 'LedgerLane', description: 'One lane: a partition of the topic.' },
      ),
    ),
    gaps: Type.Array(
      Type.Object({
        partition,
        from: count('First offset'),
        to: count('Offset after the last one'),
        at: at('Time of its entry'),
        reason: Type.Optional(Type.String()),
      }),
      { description: `Gaps of the time range with their reasons, the newest first, ${ledgerLimits.gapsMax} at most` },
    ),
    compactions: Type.Array(
      Type.Object({
        commit: count('Number of the commit'),
        at: at('Time of the commit'),
        filesBefore: count('Files before'),
        filesAfter: count('Files after'),
      }),
      { description: 'Commits of the Iceberg table that merged files, the oldest first' },
    ),
    list: Type.Optional(
      Type.Array(entrySchema, {
        description: `Every entry of the time range, the newest first, once they are read and ${ledgerLimits.listedEntriesMax} at most`,
      }),
    ),
  },
  { title: 'LedgerTimeline', description: 'The ledger of a table over a time range.' },
);

/** Answer to `GET /v1/tables/{name}/ledger`. */
export type LedgerTimeline = Plain<typeof ledgerTimelineSchema>;
/** One entry of {@link LedgerTimeline}. */
export type LedgerEntryView = NonNullable<LedgerTimeline['list']>[number];

/** Schema of {@link AuditEvent}. */
export const auditEventSchema = Type.Union([
  Type.Object({ state: Type.Literal('running'), detail: Type.String({ description: 'Progress of the audit' }) }),
  Type.Object({ state: Type.Literal('done'), report: auditReportSchema }),
  Type.Object({ state: Type.Literal('failed'), problem: problemSchema }),
]);

/** Data of one event of `POST /v1/tables/{name}/audit`. */
export type AuditEvent = Plain<typeof auditEventSchema>;

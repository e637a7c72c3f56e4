import { accountOf, chainEndOf, faultsOf, type ChainEnd } from '../chain.ts';
import { LaneFold, type LaneTotals } from '../checkpoint/lane-fold.ts';
import { readEntry } from '../checkpoint/read-entries.ts';
import { filesOf, type LedgerEntry } from '../entry.ts';
import { entryKey, type LaneId } from '../keys.ts';
import type { LaneAudit } from './audit-report.ts';
import { auditFile, auditRejects, type FileAuditParts, type FileFound } from './file-audit.ts';
import type { LanePlan, ReadRange } from './lane-plan.ts';

/** Number of entries whose files are audited together. */
const entriesAtOnce = 8;

const counted = ['rows', 'rejected', 'dropped', 'absent', 'gap', 'files', 'bytes'] as const;

interface Tally {
  rows: number;
  rejected: number;
  dropped: number;
  absent: number;
  lost: number;
  gap: number;
  unlanded: number;
  files: number;
  bytes: number;
  filesRead: number;
  spanned: number;
}

/** Reads the entries of a lane's ranges and audits their files. The checkpoints give the rest. */
export async function auditLane(
  parts: FileAuditParts,
  plan: LanePlan,
  ranges: readonly ReadRange[],
  onEntries?: (count: number) => void,
): Promise<LaneAudit> {
  const { lane, froms, base } = plan;
  const tally: Tally = {
    rows: base.rows,
    rejected: base.rejected,
    dropped: base.dropped,
    absent: base.absent,
    lost: 0,
    gap: base.gap,
    unlanded: 0,
    files: base.files,
    bytes: base.bytes,
    filesRead: 0,
    spanned: base.to,
  };
  let namedGap = 0;
  let read = 0;
  for (const range of ranges) {
    const fold = new LaneFold(range.before);
    // The objects replace the counts of the checkpoint for this range.
    if (range.end !== undefined) for (const key of counted) tally[key] -= range.end[key] - range.before[key];
    let end: ChainEnd = { to: range.before.to, id: range.before.id };
    parts.onTotals?.(lane.partition, end.to, () => fold.totals);
    const starts = froms.filter((from) => from >= range.from && from < range.to);
    for (let at = 0; at < starts.length; at += entriesAtOnce) {
      const entries = await Promise.all(starts.slice(at, at + entriesAtOnce).map(async (from) => await entryAt(parts, lane, from)));
      for (const entry of entries) {
        if (entry === undefined) continue;
        for (const fault of faultsOf(entry, end)) {
          parts.findings.fault({
            kind: 'chain',
            partition: lane.partition,
            key: entryKey(lane, entry.from),
            what: `The entry at offset ${entry.from} of partition ${lane.partition} ${fault}.`,
            next: 'Entries are never deleted or changed by the sink: restore them from the version history of the bucket.',
          });
        }
        fold.addUnchecked(entry);
        end = chainEndOf(entry);
        parts.onTotals?.(lane.partition, end.to, () => fold.totals);
      }
      const found = await Promise.all(
        entries.map(async (entry) =>
          entry === undefined ? undefined : await auditEntry(parts, lane, entry, range.visible, entry.from === froms.at(-1)),
        ),
      );
      for (const one of found) {
        if (one === undefined) continue;
        for (const [key, value] of Object.entries(one) as [keyof Tally, number][])
          tally[key] = key === 'spanned' ? Math.max(tally.spanned, value) : tally[key] + value;
        namedGap += one.gap;
      }
      read += entries.length;
      onEntries?.(read);
    }
    if (range.end !== undefined) compareWithCheckpoint(parts, lane, range.end, fold.totals);
    await auditLeftovers(parts, lane, range);
  }
  if (tally.gap > namedGap)
    parts.findings.loss({
      kind: 'retention',
      partition: lane.partition,
      offsets: tally.gap - namedGap,
      what: `${tally.gap - namedGap} offsets of partition ${lane.partition} below ${base.to} had left the log before a sink read them; --deep names them.`,
    });
  const told = tally.rows + tally.rejected + tally.dropped + tally.absent + tally.lost + tally.gap;
  if (told !== tally.spanned) {
    parts.findings.fault({
      kind: 'wrong-count',
      partition: lane.partition,
      what: `Partition ${lane.partition} spans ${tally.spanned} offsets, of which ${told} are accounted for.`,
      next: 'The other faults of this partition name them. Without another fault, run ./millrace audit --deep.',
    });
  }
  return { topic: lane.topic, partition: lane.partition, entries: froms.length, checkpointTo: base.to, ...tally };
}

async function entryAt({ store, findings, call }: FileAuditParts, lane: LaneId, from: number): Promise<LedgerEntry | undefined> {
  try {
    return await readEntry(store, lane, from, call);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'bad-entry')) throw error;
    findings.fault({
      kind: 'chain',
      partition: lane.partition,
      key: entryKey(lane, from),
      what: `An entry cannot be read: ${error.message}.`,
      next: 'Restore it from the version history of the bucket.',
    });
    return undefined;
  }
}

type EntryTally = Pick<
  Tally,
  'rows' | 'rejected' | 'dropped' | 'absent' | 'lost' | 'gap' | 'unlanded' | 'files' | 'bytes' | 'filesRead' | 'spanned'
>;

async function auditEntry(
  parts: FileAuditParts,
  lane: LaneId,
  entry: LedgerEntry,
  visible: Map<string, number> | undefined,
  isHead: boolean,
): Promise<EntryTally> {
  const { spanned, rejected, dropped, absent, gap } = accountOf(entry);
  const nothing: EntryTally = {
    rows: 0,
    rejected: 0,
    dropped: 0,
    absent: 0,
    lost: 0,
    gap: 0,
    unlanded: 0,
    files: 0,
    bytes: 0,
    filesRead: 0,
    spanned: 0,
  };
  const listed = new Map<string, number | null | undefined>();
  for (const { key } of filesOf(entry)) {
    listed.set(key, visible === undefined ? undefined : (visible.get(key) ?? null));
    visible?.delete(key);
  }
  if (isHead && [...listed.values()].includes(null) && (await isBeingLanded(parts, entry))) return { ...nothing, unlanded: spanned };
  if (gap > 0)
    parts.findings.loss({
      kind: 'retention',
      partition: lane.partition,
      offsets: gap,
      what: `Offsets [${entry.from}, ${entry.to}) of partition ${lane.partition} are a gap: ${entry.reason ?? 'no reason given'}.`,
    });
  const seen = new Uint8Array(parts.deep && entry.kind === 'batch' ? spanned : 0);
  if (seen.length > 0)
    for (const [from, to] of [...entry.rejected, ...entry.dropped, ...entry.absent]) seen.fill(1, from - entry.from, to - entry.from);
  const found: FileFound[] = [];
  for (const file of entry.files) found.push(await auditFile(parts, lane, entry, file, listed.get(file.key), seen));
  let rejectsLost = 0;
  let rejectsFound = rejected;
  if (entry.rejects !== undefined) {
    const rejects = await auditRejects(parts, lane, entry, entry.rejects, listed.get(entry.rejects.key));
    rejectsFound = rejects.kind === 'there' ? rejects.rows : 0;
    rejectsLost = rejects.kind === 'lost' ? rejects.rows : 0;
  }
  const sum = (kind: 'there' | 'lost'): number => found.reduce((total, one) => total + (one.kind === kind ? one.rows : 0), 0);
  return {
    rows: sum('there'),
    rejected: rejectsFound,
    dropped,
    absent,
    lost: sum('lost') + rejectsLost,
    gap,
    unlanded: 0,
    files: entry.files.length,
    bytes: entry.files.reduce((total, file) => total + file.bytes, 0),
    filesRead: entry.files.length,
    spanned: entry.to,
  };
}

// The head is unlanded from its record to the last copy. Every file is then staged or visible.
async function isBeingLanded({ store, call }: FileAuditParts, entry: LedgerEntry): Promise<boolean> {
  for (const { key, staged } of filesOf(entry)) {
    if ((await store.size(staged, call)) === undefined && (await store.size(key, call)) === undefined) return false;
  }
  return true;
}

async function auditLeftovers({ store, findings, call }: FileAuditParts, lane: LaneId, { visible }: ReadRange): Promise<void> {
  for (const key of visible?.keys() ?? []) {
    const from = Number(/(?:\/p\d+-|\/)(\d+)-\d+-[^/]+$/.exec(key)?.[1]);
    const bytes = await store.get(entryKey(lane, from), call);
    // The batch was recorded and landed after the ledger was listed.
    if (bytes !== undefined && Buffer.from(bytes).includes(JSON.stringify(key))) continue;
    if ((await store.size(key, call)) === undefined) continue;
    findings.fault({
      kind: 'stray-file',
      partition: lane.partition,
      key,
      what: `${key} is visible and no entry names it: readers see rows that were never accepted, or see them twice.`,
      next: 'Inspect the file and move it out of the prefix.',
    });
  }
}

function compareWithCheckpoint({ findings }: FileAuditParts, lane: LaneId, checkpoint: LaneTotals, totals: LaneTotals): void {
  const wrong = [...counted, 'entries' as const].filter((key) => checkpoint[key] !== totals[key]);
  if (wrong.length === 0 && checkpoint.to === totals.to && checkpoint.id === totals.id) return;
  findings.fault({
    kind: 'chain',
    partition: lane.partition,
    what: `The checkpoint of partition ${lane.partition} at offset ${checkpoint.to} is not the sum of its entries${wrong.length === 0 ? '' : ` (${wrong.join(', ')})`}.`,
    next: 'If the entries have no fault, delete the checkpoints of the partition: the sink writes them again.',
  });
}

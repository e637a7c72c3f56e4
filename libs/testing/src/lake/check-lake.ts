import { createHash } from 'node:crypto';
import { judgeChain, rowOffsets, type JudgedEntry, type LaneCheck } from './lane-tally.ts';
import { LakeView, type LakeViewOptions } from './lake-view.ts';

/** What to check. */
export interface CheckLakeOptions extends LakeViewOptions {
  readonly table: string;
  /** Only the lanes of this topic. Default: every topic of the table. */
  readonly topic?: string;
}

/** Everything counted from the objects themselves. */
export interface LakeCheck {
  /** Rows that a reader of the table sees. */
  readonly rows: number;
  readonly distinctEventIds: number;
  /** Distinct (`_partition`, `_offset`) per topic. */
  readonly distinctOffsets: number;
  /** Event ids of the rows. */
  readonly eventIds: ReadonlySet<string>;
  readonly lanes: readonly LaneCheck[];
  /** Whether every lane's chain leads from 0 to its end without a gap or a branch. */
  readonly contiguous: boolean;
  readonly rejected: number;
  readonly dropped: number;
  readonly absent: number;
  /** Offsets in gap entries. */
  readonly gap: number;
  /** Named by an entry, but not there. */
  readonly missingFiles: readonly string[];
  /** Visible to readers of the table, but named by no entry. */
  readonly strayFiles: readonly string[];
  /** Not what their entry says: other bytes, another number of rows or of rejects. */
  readonly alteredFiles: readonly string[];
  /** `topic/partition@offset` of each record that is in more than one row. */
  readonly duplicateOffsets: readonly string[];
  /** Event ids that occur in more than one row. */
  readonly duplicateEventIds: readonly string[];
  /** `topic/partition@offset` of each record that an entry counts as a row and no row holds. */
  readonly lostOffsets: readonly string[];
  /** Everything that is wrong, a sentence each; empty when the lake is sound. */
  readonly faults: readonly string[];
}

/**
 * Reads ledger and table of a lake and counts. It is written from the format alone. It shares no code with the sink or with the library of
 * the lake, so that it cannot share their errors.
 *
 * The table should be at rest: a batch that is just being published has missing files.
 */
export async function checkLake({ table, topic, ...lake }: CheckLakeOptions): Promise<LakeCheck> {
  const view = new LakeView(lake);
  try {
    const entries = await readEntries(view, table);
    const judged = [...entries].filter(([lane]) => topic === undefined || lane.startsWith(`${topic}/`));
    const visible = new Map((await view.objects(`${table}/`)).map(({ key, bytes }) => [key, bytes]));
    const named = new Set([...entries.values()].flat().flatMap(({ files }) => files.map(({ key }) => key)));

    const lanes = judged.map(([lane, chain]) =>
      judgeChain(lane.slice(0, lane.lastIndexOf('/')), Number(lane.slice(lane.lastIndexOf('/') + 1)), chain),
    );
    const strayFiles = [...visible.keys()].filter((key) => !named.has(key));
    const missingFiles: string[] = [];
    const alteredFiles: string[] = [];
    const offsets = new Map<string, number>();
    const ids = new Map<string, number>();
    const addRows = async (lane: string, bytes: Buffer): Promise<number> => {
      const rows = await view.rows(bytes, ['event_id', '_partition', '_offset']);
      for (const row of rows) {
        add(ids, String(row['event_id']));
        add(offsets, `${lane.slice(0, lane.lastIndexOf('/'))}/${String(row['_partition'])}@${String(row['_offset'])}`);
      }
      return rows.length;
    };

    const lostOffsets: string[] = [];
    for (const [lane, chain] of judged) {
      for (const entry of chain) {
        for (const { key, rows, bytes, sha256 } of entry.files) {
          const content = visible.has(key) ? await view.read(key) : undefined;
          if (content === undefined) missingFiles.push(key);
          else if ((await addRows(lane, content)) !== rows || content.length !== bytes || hashOf(content) !== sha256)
            alteredFiles.push(key);
        }
        if (entry.rejects !== undefined) await judgeRejects(view, entry.rejects, missingFiles, alteredFiles);
        for (const offset of rowOffsets(entry)) if (!offsets.has(`${lane}@${offset}`)) lostOffsets.push(`${lane}@${offset}`);
      }
    }
    // A reader of the table also sees stray files, of any topic.
    for (const key of strayFiles) if (key.endsWith('.parquet')) await addRows('stray/', await view.read(key));

    const duplicateOffsets = repeated(offsets);
    const duplicateEventIds = repeated(ids);
    const total = (of: 'rejected' | 'dropped' | 'absent' | 'gap'): number => lanes.reduce((sum, lane) => sum + lane[of], 0);
    return {
      rows: [...ids.values()].reduce((sum, count) => sum + count, 0),
      distinctEventIds: ids.size,
      distinctOffsets: offsets.size,
      eventIds: new Set(ids.keys()),
      lanes,
      contiguous: lanes.every(({ faults }) => faults.length === 0),
      rejected: total('rejected'),
      dropped: total('dropped'),
      absent: total('absent'),
      gap: total('gap'),
      missingFiles,
      strayFiles,
      alteredFiles,
      duplicateOffsets,
      duplicateEventIds,
      lostOffsets,
      faults: [
        ...lanes.flatMap(({ faults }) => faults),
        ...missingFiles.map((key) => `${key} is missing`),
        ...strayFiles.map((key) => `${key} is named by no entry`),
        ...alteredFiles.map((key) => `${key} is not what its entry says`),
        ...lostOffsets.map((at) => `${at} has no row`),
        ...duplicateOffsets.map((at) => `${at} stands in more than one row`),
        ...duplicateEventIds.map((id) => `event ${id} stands in more than one row`),
      ],
    };
  } finally {
    view.close();
  }
}

/** Entries by lane, `topic/partition`. */
async function readEntries(view: LakeView, table: string): Promise<Map<string, JudgedEntry[]>> {
  const entries = new Map<string, JudgedEntry[]>();
  const prefix = `_ledger/${table}/`;
  for (const { key } of await view.objects(prefix)) {
    const match = /^(.+)\/p=(\d+)\/\d{19}-\d+\.json$/.exec(key.slice(prefix.length));
    if (match === null) throw new Error(`${key} is a place for entries only`);
    const lane = `${match[1]}/${match[2]}`;
    entries.set(lane, [...(entries.get(lane) ?? []), { ...(JSON.parse((await view.read(key)).toString('utf8')) as JudgedEntry), key }]);
  }
  return entries;
}

async function judgeRejects(
  view: LakeView,
  { key, count, bytes, sha256 }: NonNullable<JudgedEntry['rejects']>,
  missing: string[],
  altered: string[],
): Promise<void> {
  const content = await view.read(key).catch((error: unknown) => {
    if ((error as Error).name === 'NoSuchKey') return undefined;
    throw error;
  });
  if (content === undefined) missing.push(key);
  else if (content.toString('utf8').split('\n').filter(Boolean).length !== count || content.length !== bytes || hashOf(content) !== sha256)
    altered.push(key);
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function repeated(counts: ReadonlyMap<string, number>): string[] {
  return [...counts].filter(([, count]) => count > 1).map(([key]) => key);
}

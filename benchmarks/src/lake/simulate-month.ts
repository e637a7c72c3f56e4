import { randomUUID } from 'node:crypto';
import { purchases, utcDate } from '@millrace/contracts';
import {
  Compaction,
  dataKey,
  defaultCompaction,
  entryBytes,
  entryKey,
  Projection,
  Sweep,
  TableFiles,
  type ChainEnd,
  type LaneId,
  type Rewriter,
} from '@millrace/lake';
import { benchEntry } from './bench-entry.ts';
import { median } from '../report/figures.ts';
import { MemoryStore } from './memory-store.ts';

/** The table at the end of one simulated day. */
export interface DayState {
  readonly day: number;
  readonly commits: number;
  readonly files: number;
  /** Medians of the commits of the day that add landed files. */
  readonly commitMs: number;
  readonly callsPerCommit: number;
  readonly manifestBytes: number;
  readonly metadataBytes: number;
  /** Time in which a reader without a cache finds every file of the table. */
  readonly planningMs: number;
}

const lanes = 8;
/** Minutes between two commits. Each lane lands one file a minute. */
export const minutesPerCommit = 5;
const bytesPerFile = 40_000;
const rowsPerFile = 500;
const startSeconds = 1_700_006_400;
const bucket = 'month';

/** Merges without data: a real merge reads and writes bytes, and its commit is the same. */
const rewriter: Rewriter = {
  rewrite: async (_dt, inputs) => ({
    body: new Uint8Array(0),
    bytes: inputs.reduce((sum, { bytes }) => sum + bytes, 0),
    rows: inputs.reduce((sum, { rows }) => sum + rows, 0),
    seconds: [startSeconds, startSeconds],
    partitions: [0, lanes - 1],
    offsets: [0, 0],
    lostRows: 0,
    dispose: async () => undefined,
  }),
};

/**
 * Runs the projector's own code over a month of landed files, in memory and without their bytes: appends, merges and sweeps.
 *
 * @param reported days whose end is reported, from 1, ascending
 */
export async function simulateMonth(reported: readonly number[], onDay: (day: number) => void): Promise<DayState[]> {
  const store = new MemoryStore(purchases.table);
  let nowMs = startSeconds * 1000;
  const { projection, compaction, sweep } = projectorOver(store, () => nowMs);
  const ends = new Map<number, ChainEnd>();
  const states: DayState[] = [];
  for (let day = 1; day <= reported.at(-1)!; day += 1) {
    const [times, calls]: [number[], number[]] = [[], []];
    for (let minute = 0; minute < 1440; minute += minutesPerCommit) {
      const landed = await land(store, ends, nowMs / 1000);
      nowMs += minutesPerCommit * 60_000;
      const [callsBefore, start] = [store.calls, performance.now()];
      await projection.round();
      times.push(performance.now() - start);
      calls.push(store.calls - callsBefore);
      for (const key of landed) store.forget(key);
      for (let pass = await compaction.pass(); pass.outcome === 'committed'; pass = await compaction.pass());
      if (minute % 60 === 0) await sweep.run();
    }
    onDay(day);
    if (reported.includes(day)) states.push(await stateOf(store, projection, day, median(times), median(calls)));
  }
  return states;
}

/**
 * Runs the projector's own code over one hour at its default intervals, while each lane lands a file a minute. Returns its S3 requests.
 */
export async function simulateHour(): Promise<number> {
  const store = new MemoryStore(purchases.table);
  let second = 0;
  const { projection, compaction, sweep } = projectorOver(store, () => (startSeconds + second) * 1000);
  const ends = new Map<number, ChainEnd>();
  let calls = 0;
  for (; second < 3600; second += 10) {
    for (let partition = 0; partition < lanes; partition += 1)
      // The lanes do not flush at the same time.
      if (Math.floor((partition * 60) / lanes / 10) === (second % 60) / 10) await landFile(store, ends, partition, startSeconds + second);
    const before = store.calls;
    await projection.round();
    if (second % 60 === 0) for (let pass = await compaction.pass(); pass.outcome === 'committed'; pass = await compaction.pass());
    if (second % 600 === 0) await sweep.run();
    calls += store.calls - before;
  }
  return calls;
}

function projectorOver(store: MemoryStore, now: () => number): { projection: Projection; compaction: Compaction; sweep: Sweep } {
  const projection = new Projection({
    store,
    bucket,
    stream: purchases,
    catalog: { read: async () => undefined, move: async () => undefined },
    writer: 'bench',
    now,
    newId: randomUUID,
    rowsOf: async () => 0,
    onPointerFailure: () => undefined,
  });
  const compaction = new Compaction(projection.table, rewriter, { limits: defaultCompaction });
  return { projection, compaction, sweep: new Sweep(projection.table) };
}

/** Each lane lands one small file for each minute. Returns the keys of the objects that only the next round reads. */
async function land(store: MemoryStore, ends: Map<number, ChainEnd>, seconds: number): Promise<string[]> {
  const keys: string[] = [];
  for (let partition = 0; partition < lanes; partition += 1) {
    for (let minute = 0; minute < minutesPerCommit; minute += 1) {
      const { file, entry } = await landFile(store, ends, partition, seconds);
      // The newest entry stays: its lane is listed by it.
      keys.push(file);
      if (minute > 0) keys.push(entry);
    }
  }
  return keys;
}

/** Lands the next file of a lane. Returns the keys of its objects. */
async function landFile(
  store: MemoryStore,
  ends: Map<number, ChainEnd>,
  partition: number,
  seconds: number,
): Promise<{ readonly file: string; readonly entry: string }> {
  const dt = utcDate(seconds);
  const lane: LaneId = { table: purchases.table, topic: purchases.topic.name, partition };
  const { to: from, id: prev } = ends.get(partition) ?? { to: 0, id: null };
  const range = { id: randomUUID(), from, to: from + rowsPerFile };
  const key = dataKey(lane, purchases.partitionKey, dt, range);
  const entry = benchEntry(range, prev, [
    {
      key,
      staged: `_staging/${range.id}`,
      dt,
      rows: rowsPerFile,
      bytes: bytesPerFile,
      sha256: '0'.repeat(64),
      minTimestamp: seconds,
      maxTimestamp: seconds + 59,
    },
  ]);
  await store.put(key, emptyFile);
  await store.put(entryKey(lane, from), entryBytes(entry));
  ends.set(partition, { to: range.to, id: range.id });
  return { file: key, entry: entryKey(lane, from) };
}

const emptyFile = new Uint8Array(bytesPerFile);

async function stateOf(
  store: MemoryStore,
  projection: Projection,
  day: number,
  commitMs: number,
  callsPerCommit: number,
): Promise<DayState> {
  const tip = (await projection.table.read())!;
  const planning: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const reader = new TableFiles({ store, bucket, stream: purchases });
    const start = performance.now();
    await reader.filesIn((await reader.newest())!, () => true);
    planning.push(performance.now() - start);
  }
  return {
    day,
    commits: tip.commit.n,
    files: tip.commit.files,
    commitMs,
    callsPerCommit,
    manifestBytes: tip.manifests.reduce((sum, { manifest_length: bytes }) => sum + bytes, 0),
    metadataBytes: (await store.size(tip.commit.metadata))!,
    planningMs: median(planning),
  };
}

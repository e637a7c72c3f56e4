import { auditTable, filesOf, isLakeError, lostMetadata, readEntry, type LaneId, type LedgerEntry } from '@millrace/lake';
import { Arguments } from './arguments.ts';
import { Duck } from './duck.ts';
import { OperatorError } from './errors.ts';
import { counted, grouped } from './numbers.ts';
import { openLake, type Lake } from './open-lake.ts';
import type { OperatorContext } from './operator-context.ts';
import { parquetFile } from './parquet-file.ts';
import { repairUndecodable, undecodableUsage } from './repair-undecodable.ts';

const usage = `./millrace repair [--apply] [--json] [--table T]\n  ${undecodableUsage}`;

/** A file that an entry names and that is not there. */
interface MissingFile {
  readonly key: string;
  readonly partition: number;
  /** The batch it belongs to: offsets [from, to). */
  readonly from: number;
  readonly to: number;
  /** Rows, or rejects, that it held. */
  readonly rows: number;
  /** `publish`: a staged copy is still there; `record-loss`: an empty file takes its place. */
  readonly action: 'publish' | 'record-loss';
}

/**
 * `./millrace repair`: what was deleted by hand is published again where a staged copy is left; where there is none, an empty file that
 * says how many rows were lost takes its place, so that a stopped lane goes on and the audit tells the truth. Says what it would do;
 * does it with `--apply`.
 */
export async function repairCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const { env, out, progress, signal, table } = context;
  const given = Arguments.read(args, { usage, flags: ['--apply', '--json', '--undecodable'], values: ['--table', '--partition', '--offset'] });
  const place = { partition: given.integer('--partition'), offset: given.integer('--offset') };
  const undecodable = given.has('--undecodable');
  if (undecodable !== (place.partition !== undefined) || undecodable !== (place.offset !== undefined)) throw new OperatorError(`--undecodable, --partition and --offset belong together: /health/ready of the sink names the place. Usage: ${usage}`);
  const apply = given.has('--apply');
  const lake = openLake(env, given.value('--table'));
  try {
    if (place.partition !== undefined && place.offset !== undefined) return await repairUndecodable(lake, { partition: place.partition, offset: place.offset }, { apply, json: given.has('--json') }, context);
    const missing = await progress.step('Search for files that are gone', async (note) => await missingFiles(lake, signal, note));
    if (apply && missing.length > 0) await progress.step(`Repair ${counted(missing.length, 'file')}`, async () => await repair(lake, missing, signal));
    if (given.has('--json')) {
      out.line(JSON.stringify({ applied: apply, files: missing }));
    } else if (missing.length === 0) {
      out.line(`Every file of table ${lake.stream.table} is there.`);
    } else {
      const what = { publish: apply ? 'published again' : 'publish the staged copy', 'record-loss': apply ? 'recorded as lost' : 'record the loss' };
      out.line(table(['partition', 'offsets', 'rows', apply ? 'what was done' : 'what would be done', 'file'], missing.map(({ partition, from, to, rows, action, key }) => [String(partition), `${grouped(from)}–${grouped(to - 1)}`, grouped(rows), what[action], key])));
      out.line();
      const lost = missing.filter(({ action }) => action === 'record-loss').reduce((sum, { rows }) => sum + rows, 0);
      out.line(`${counted(lost, 'row')} ${apply ? (lost === 1 ? 'was recorded' : 'were recorded') : 'would be recorded'} as lost; ./millrace audit names the loss for ever.${lost === 0 ? '' : ' Where the bucket keeps versions, restoring the file is better; where the topic has the events, ./millrace replay brings them back.'}${apply ? '' : ' Nothing was done: --apply does it.'}`);
    }
    return 0;
  } finally {
    lake.close();
  }
}

// The audit names at most a thousand; what is left, the next run finds.
async function missingFiles({ store, stream }: Lake, signal: AbortSignal, onProgress: (text: string) => void): Promise<MissingFile[]> {
  const { faults, lanes } = await auditTable({ store, stream, signal, onProgress });
  const found: MissingFile[] = [];
  for (const { kind, key, partition } of faults) {
    const lane = lanes.find((one) => one.partition === partition);
    if (kind !== 'missing-file' || key === undefined || lane === undefined) continue;
    const entry = await entryOf({ store, stream }, { table: stream.table, topic: lane.topic, partition: lane.partition }, key, signal);
    const file = entry.files.find((one) => one.key === key);
    const { staged } = filesOf(entry).find((one) => one.key === key)!;
    const action = (await store.size(staged, { signal })) === undefined ? 'record-loss' : 'publish';
    found.push({ key, partition: lane.partition, from: entry.from, to: entry.to, rows: file?.rows ?? entry.rejects?.count ?? 0, action });
  }
  return found;
}

async function repair(lake: Lake, missing: readonly MissingFile[], signal: AbortSignal): Promise<void> {
  const { store, stream } = lake;
  const duck = await Duck.open(256);
  try {
    const empty = await parquetFile(duck, stream);
    for (const { key, partition, rows, action } of missing) {
      signal.throwIfAborted();
      if (action === 'publish') {
        const entry = await entryOf(lake, { table: stream.table, topic: stream.topic.name, partition }, key, signal);
        const { staged } = filesOf(entry).find((one) => one.key === key)!;
        await store.copy(staged, key, { signal });
        continue;
      }
      // Someone may have restored it since; what is there stays.
      await store.put(key, key.endsWith('.parquet') ? empty : new Uint8Array(), { ifAbsent: true, metadata: { [lostMetadata]: String(rows) }, signal }).catch((error: unknown) => {
        if (!isLakeError(error, 'exists')) throw error;
      });
    }
  } finally {
    duck.close();
  }
}

async function entryOf({ store }: Pick<Lake, 'store' | 'stream'>, lane: LaneId, key: string, signal: AbortSignal): Promise<LedgerEntry> {
  const from = Number(/(?:\/p\d+-|\/)(\d+)-\d+-[^/]+$/.exec(key)?.[1]);
  return await readEntry(store, lane, from, { signal });
}

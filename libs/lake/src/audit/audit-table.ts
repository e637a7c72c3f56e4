import type { Stream } from '@millrace/contracts';
import type { CatalogPartition } from '../glue-catalog.ts';
import { tablePrefix } from '../keys.ts';
import { lanesOf } from '../lanes.ts';
import type { CallOptions, InspectableStore } from '../object-store.ts';
import { AuditFindings, type AuditReport, type CatalogAudit, type LaneAudit } from './audit-report.ts';
import type { FileAuditParts } from './file-audit.ts';
import { collectRanges, takeInventory } from './inventory.ts';
import { auditLane } from './lane-audit.ts';
import { planLane, rangesToRead, type LanePlan } from './lane-plan.ts';
import { rowsInFooter } from './parquet-rows.ts';
import { SnapshotAudit, type AuditedProjection } from './projection-audit.ts';

/** The part of the catalog that an audit uses. */
export interface AuditedCatalog {
  partitions(options?: CallOptions): Promise<readonly CatalogPartition[]>;
  /** Location of the files of a value of the partition key. */
  locationOf(value: string): string;
}

/** Options of {@link auditTable}. */
export interface AuditOptions extends CallOptions {
  readonly store: InspectableStore;
  readonly stream: Pick<Stream, 'table' | 'partitionKey'>;
  /** Default: the catalog is not compared. */
  readonly catalog?: AuditedCatalog;
  /** Default: the Iceberg table is not compared. */
  readonly projection?: AuditedProjection;
  /** Reads every entry and every byte instead of trusting the checkpoints. Default false. */
  readonly deep?: boolean;
  /** Receives the progress as a short text. */
  readonly onProgress?: (text: string) => void;
  /** Clock in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Reads the number of rows from the footer of a Parquet file. */
  readonly rowsOf?: typeof rowsInFooter;
}

/**
 * Proves that a table is complete, or names its faults:
 *
 * - Each chain is contiguous from 0 to the head.
 * - Every file that an entry names exists with its rows, and no other file is visible.
 * - Every offset is accounted for once.
 * - The catalog has each value of the partition key that has files, and no other.
 * - The Iceberg table has the rows of each day up to its position, in files that exist, each of them once.
 *
 * It costs one LIST for every thousand objects and entries. For each lane it reads the newest checkpoint and at most about a thousand
 * entries with the footers of their files. It reads more entries only where the sums differ. With `deep` it reads everything.
 *
 * It is correct while sinks write: it lists the ledger before the files, and looks up each batch that lands in between.
 *
 * @throws LakeError when the store or the catalog does not answer
 */
export async function auditTable(options: AuditOptions): Promise<AuditReport> {
  const { store, stream, catalog, projection, deep = false, onProgress, now = Date.now, rowsOf = rowsInFooter, signal } = options;
  const { table, partitionKey } = stream;
  const call: CallOptions = signal === undefined ? {} : { signal };
  const started = now();
  const findings = new AuditFindings();
  const alone: FileAuditParts = { store, findings, deep, call, rowsOf };
  const snapshot = projection === undefined ? undefined : await SnapshotAudit.open(alone, table, projection);
  const parts: FileAuditParts = {
    ...alone,
    ...(snapshot === undefined ? {} : { onTotals: (partition, end, totals) => snapshot.onTotals(partition, end, totals) }),
  };

  const plans: LanePlan[] = [];
  for (const lane of await lanesOf(store, table, call)) {
    onProgress?.(`listing the ledger of partition ${lane.partition}`);
    plans.push(await planLane(store, lane, findings, call));
  }
  refuseSharedPartitions(plans, findings);
  const onListed = (count: number): void => onProgress?.(`${count} objects listed`);
  const { values, strays } = await takeInventory(
    store,
    table,
    partitionKey,
    plans.map(({ inventory }) => inventory),
    { ...call, onListed, ...(snapshot === undefined ? {} : { onObject: (key, bytes) => snapshot.see(key, bytes) }) },
  );
  for (const key of strays) {
    findings.fault({
      kind: 'stray-file',
      key,
      what: `${key} is visible and no entry names it: readers see rows that were never accepted, or see them twice.`,
      next: 'Inspect the file and move it out of the prefix.',
    });
  }

  const ranges = await Promise.all(plans.map(async (plan) => await rangesToRead(store, plan, deep, call)));
  const unclear = plans.flatMap(({ lane }, n) =>
    ranges[n]!.flatMap(({ from, to, visible }) =>
      visible === undefined || to === Number.POSITIVE_INFINITY ? [] : [{ lane, from, to, found: visible }],
    ),
  );
  if (unclear.length > 0) {
    onProgress?.(`listing again what does not add up`);
    await collectRanges(store, table, partitionKey, unclear, call);
  }

  const lanes: LaneAudit[] = [];
  for (const [n, plan] of plans.entries()) {
    lanes.push(
      await auditLane(parts, plan, ranges[n]!, (count) => onProgress?.(`partition ${plan.lane.partition}: ${count} entries read`)),
    );
  }
  const projected = await snapshot?.finish(plans);
  const found = catalog === undefined ? undefined : await auditCatalog(options, catalog, values, findings, call);
  return {
    v: 1,
    table,
    verdict: findings.verdict,
    at: new Date(started).toISOString(),
    tookMs: now() - started,
    deep,
    lanes,
    ...(found === undefined ? {} : { catalog: found }),
    ...(projected === undefined ? {} : { projection: projected }),
    losses: findings.losses,
    lostOffsets: findings.lostOffsets,
    faults: findings.faults,
    faultCount: findings.faultCount,
  };
}

// A file name has the partition and not the topic, so nothing distinguishes the files of two topics in one table.
function refuseSharedPartitions(plans: readonly LanePlan[], findings: AuditFindings): void {
  const topics = [...new Set(plans.map(({ lane }) => lane.topic))];
  if (topics.length > 1)
    findings.fault({
      kind: 'chain',
      what: `The ledger holds lanes of ${topics.length} topics: ${topics.join(', ')}.`,
      next: 'A table belongs to one topic: give each sink its own table by SINK_TABLE.',
    });
}

async function auditCatalog(
  { store, stream }: AuditOptions,
  catalog: AuditedCatalog,
  values: ReadonlySet<string>,
  findings: AuditFindings,
  call: CallOptions,
): Promise<CatalogAudit> {
  const partitions = await catalog.partitions(call);
  const registered = new Map(partitions.map(({ value, location }) => [value, location]));
  const missing = [...values].filter((value) => !registered.has(value)).toSorted();
  for (const value of missing) {
    findings.fault({
      kind: 'catalog',
      what: `${value} has files and is not registered in the catalog: engines do not see them.`,
      next: 'The sink registers it within SINK_RECONCILE_SECONDS. If it does not, its log gives the reason.',
    });
  }
  const elsewhere = [...registered].filter(([value, location]) => withSlash(location) !== catalog.locationOf(value));
  const [first] = elsewhere;
  if (first !== undefined) {
    const [value, location] = first;
    findings.fault({
      kind: 'catalog',
      what: `The catalog has ${value}${elsewhere.length === 1 ? '' : `, and ${elsewhere.length - 1} more of its ${registered.size} partitions,`} at another place: ${location}, where the table's files are at ${catalog.locationOf(value)}.`,
      next: 'If the table was switched to a replay, set SINK_TABLE to the prefix of the replay and SINK_CATALOG_TABLE to the name in the catalog, for every sink and for this command. Otherwise correct the location in Glue.',
    });
  }
  const empty = await emptyOf(
    store,
    stream,
    [...registered.keys()].filter((value) => !values.has(value)),
    call,
  );
  if (empty.length > 0) {
    findings.fault({
      kind: 'catalog',
      what: `The catalog has ${empty[0]}${empty.length === 1 ? '' : ` and ${empty.length - 1} more partitions`} without a file: another program than a sink registered it, or its files were deleted.`,
      next: 'If files are missing too, repair them first (./millrace repair). Otherwise delete the partition in Glue (aws glue delete-partition): it has no rows.',
    });
  }
  return { registered: registered.size, missing, empty };
}

// A value may get its first file and its registration after the files were listed, so each value without files is looked up again.
async function emptyOf(
  store: InspectableStore,
  { table, partitionKey }: AuditOptions['stream'],
  values: readonly string[],
  call: CallOptions,
): Promise<string[]> {
  if (values.length === 0) return [];
  const folders = new Set(await store.listFolders(tablePrefix(table), call));
  return values.filter((value) => !folders.has(`${partitionKey}=${value}/`)).toSorted();
}

function withSlash(location: string): string {
  return location.endsWith('/') ? location : `${location}/`;
}

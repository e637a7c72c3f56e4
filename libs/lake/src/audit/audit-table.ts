import type { Stream } from '@millrace/contracts';
import type { CatalogPartition } from '../glue-catalog.ts';
import { tableLedgerPrefix, tablePrefix, type LaneId } from '../keys.ts';
import type { CallOptions, InspectableStore } from '../object-store.ts';
import { AuditFindings, type AuditReport, type CatalogAudit, type LaneAudit } from './audit-report.ts';
import type { FileAuditParts } from './file-audit.ts';
import { collectRanges, takeInventory } from './inventory.ts';
import { auditLane } from './lane-audit.ts';
import { planLane, rangesToRead, type LanePlan } from './lane-plan.ts';
import { rowsInFooter } from './parquet-rows.ts';

/** What an audit needs of the catalog. */
export interface AuditedCatalog {
  partitions(options?: CallOptions): Promise<readonly CatalogPartition[]>;
  /** Where the files of a value of the partition key are. */
  locationOf(value: string): string;
}

/** What is audited, and how. */
export interface AuditOptions extends CallOptions {
  readonly store: InspectableStore;
  readonly stream: Pick<Stream, 'table' | 'partitionKey'>;
  /** Left out, the catalog is not compared. */
  readonly catalog?: AuditedCatalog;
  /** Reads every entry and every byte, whatever the checkpoints say. Default false. */
  readonly deep?: boolean;
  /** How far it is, as a phrase for a person. */
  readonly onProgress?: (text: string) => void;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Rows of a Parquet file by its footer. */
  readonly rowsOf?: typeof rowsInFooter;
}

/** Lanes that a table's ledger has. */
export async function lanesOf(store: InspectableStore, table: string, options: CallOptions = {}): Promise<LaneId[]> {
  const lanes: LaneId[] = [];
  for (const topic of await store.listFolders(tableLedgerPrefix(table), options)) {
    for (const folder of await store.listFolders(`${tableLedgerPrefix(table)}${topic}`, options)) {
      const partition = /^p=(\d{1,10})\/$/.exec(folder)?.[1];
      if (partition !== undefined) lanes.push({ table, topic: topic.slice(0, -1), partition: Number(partition) });
    }
  }
  return lanes.toSorted((a, b) => a.partition - b.partition);
}

/**
 * Proves a table complete, or says what is missing: its chains are contiguous from 0 to the head, every named file is there with
 * its rows, nothing else is visible, every offset is accounted for once, and the catalog knows the values of the partition key that
 * have files, and no others.
 *
 * Costs one LIST for every thousand objects and entries, and, for each lane, its newest checkpoint and at most about a thousand
 * entries with the footers of their files; only a stretch that does not add up is read entry by entry. With `deep` everything is
 * read. Sound while sinks write: the ledger is listed before the files, and what lands in between is looked up.
 *
 * @throws LakeError when the store or the catalog does not answer
 */
export async function auditTable(options: AuditOptions): Promise<AuditReport> {
  const { store, stream, catalog, deep = false, onProgress, now = Date.now, rowsOf = rowsInFooter, signal } = options;
  const { table, partitionKey } = stream;
  const call: CallOptions = signal === undefined ? {} : { signal };
  const started = now();
  const findings = new AuditFindings();
  const parts: FileAuditParts = { store, findings, deep, call, rowsOf };

  const plans: LanePlan[] = [];
  for (const lane of await lanesOf(store, table, call)) {
    onProgress?.(`listing the ledger of partition ${lane.partition}`);
    plans.push(await planLane(store, lane, findings, call));
  }
  refuseSharedPartitions(plans, findings);
  const onListed = (count: number): void => onProgress?.(`${count} objects listed`);
  const { values, strays } = await takeInventory(store, table, partitionKey, plans.map(({ inventory }) => inventory), { ...call, onListed });
  for (const key of strays) {
    findings.fault({ kind: 'stray-file', key, what: `${key} is visible and no entry names it: readers see rows that were never accepted, or see them twice.`, next: 'Look at it, and move it out of the prefix.' });
  }

  const ranges = await Promise.all(plans.map(async (plan) => await rangesToRead(store, plan, deep, call)));
  const unclear = plans.flatMap(({ lane }, n) => ranges[n]!.flatMap(({ from, to, visible }) => (visible === undefined || to === Number.POSITIVE_INFINITY ? [] : [{ lane, from, to, found: visible }])));
  if (unclear.length > 0) {
    onProgress?.(`listing again what does not add up`);
    await collectRanges(store, table, partitionKey, unclear, call);
  }

  const lanes: LaneAudit[] = [];
  for (const [n, plan] of plans.entries()) {
    lanes.push(await auditLane(parts, plan, ranges[n]!, (count) => onProgress?.(`partition ${plan.lane.partition}: ${count} entries read`)));
  }
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
    losses: findings.losses,
    lostOffsets: findings.lostOffsets,
    faults: findings.faults,
    faultCount: findings.faultCount,
  };
}

// File names carry the partition and not the topic: two topics in one table could not be told apart.
function refuseSharedPartitions(plans: readonly LanePlan[], findings: AuditFindings): void {
  const topics = [...new Set(plans.map(({ lane }) => lane.topic))];
  if (topics.length > 1) findings.fault({ kind: 'chain', what: `The ledger holds lanes of ${topics.length} topics: ${topics.join(', ')}.`, next: 'A table belongs to one topic; give each sink a table of its own by SINK_TABLE.' });
}

async function auditCatalog({ store, stream }: AuditOptions, catalog: AuditedCatalog, values: ReadonlySet<string>, findings: AuditFindings, call: CallOptions): Promise<CatalogAudit> {
  const partitions = await catalog.partitions(call);
  const registered = new Map(partitions.map(({ value, location }) => [value, location]));
  const missing = [...values].filter((value) => !registered.has(value)).toSorted();
  for (const value of missing) {
    findings.fault({ kind: 'catalog', what: `${value} has files and is not registered in the catalog: engines do not see them.`, next: 'The sink registers it within SINK_RECONCILE_SECONDS; when it does not, its log says why.' });
  }
  const elsewhere = [...registered].filter(([value, location]) => withSlash(location) !== catalog.locationOf(value));
  const [first] = elsewhere;
  if (first !== undefined) {
    const [value, location] = first;
    findings.fault({
      kind: 'catalog',
      what: `The catalog has ${value}${elsewhere.length === 1 ? '' : `, and ${elsewhere.length - 1} more of its ${registered.size} partitions,`} at another place: ${location}, where the table's files are at ${catalog.locationOf(value)}.`,
      next: 'When the table was switched to a replay, SINK_TABLE is the prefix there and SINK_CATALOG_TABLE the name in the catalog, for every sink and for this command; otherwise correct the location in Glue.',
    });
  }
  const empty = await emptyOf(store, stream, [...registered.keys()].filter((value) => !values.has(value)), call);
  if (empty.length > 0) {
    findings.fault({
      kind: 'catalog',
      what: `The catalog has ${empty[0]}${empty.length === 1 ? '' : ` and ${empty.length - 1} more partitions`} without a file: it was registered by something else than a sink, or its files were deleted.`,
      next: 'When files are reported missing too, see to them first (./millrace repair); otherwise delete the partition in Glue (aws glue delete-partition): no rows are in it.',
    });
  }
  return { registered: registered.size, missing, empty };
}

// A value may have got its first file and its registration since the files were listed: those that look empty are looked up again.
async function emptyOf(store: InspectableStore, { table, partitionKey }: AuditOptions['stream'], values: readonly string[], call: CallOptions): Promise<string[]> {
  if (values.length === 0) return [];
  const folders = new Set(await store.listFolders(tablePrefix(table), call));
  return values.filter((value) => !folders.has(`${partitionKey}=${value}/`)).toSorted();
}

function withSlash(location: string): string {
  return location.endsWith('/') ? location : `${location}/`;
}

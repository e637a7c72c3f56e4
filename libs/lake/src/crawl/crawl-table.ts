import type { CatalogPartition, GlueCatalog } from '../glue-catalog.ts';
import { partitionPrefix, tablePrefix } from '../keys.ts';
import { isVisible } from '../audit/inventory.ts';
import type { CallOptions, InspectableStore, ListedObject } from '../object-store.ts';
import type { CatalogTable, CrawledTable } from './catalog-table.ts';
import { columnsInFooter } from './parquet-columns.ts';
import { columnDifferences, mergeColumns, widened, widestOf, type ColumnDifference, type FoundColumns } from './schema-difference.ts';

/** Policy of a crawl. `log` changes nothing, `update` adds and widens, `deprecate` also marks partitions and columns without files. */
export const crawlPolicies = ['log', 'update', 'deprecate'] as const;
export type CrawlPolicy = (typeof crawlPolicies)[number];

/** Maximum number of footers that one crawl reads. */
export const footersMax = 32;
/** Differences of one kind that a report names. */
const namedMax = 1000;

/** A difference between the files and the catalog, and its outcome. */
export interface CrawlDifference {
  readonly kind:
    | ColumnDifference['kind']
    | 'table-missing'
    | 'table-empty'
    | 'partition-missing'
    | 'partition-empty'
    | 'partition-elsewhere'
    | 'folder-unknown';
  /** The column, the value of the partition key, or the folder. */
  readonly name: string;
  /** In the files. */
  readonly found?: string;
  /** In the catalog. */
  readonly catalog?: string;
  /** `applied`: the catalog was changed. `logged`: the policy does not change it. `refused`: the change would break readers. */
  readonly action: 'applied' | 'logged' | 'refused';
}

/** One comparison of a table's files with the catalog. */
export interface CrawlReport {
  readonly table: string;
  readonly database: string;
  readonly policy: CrawlPolicy;
  /** `equal`; `applied`: every difference was applied; `differs`: some were only logged; `refused`: some would break readers. */
  readonly verdict: 'equal' | 'applied' | 'differs' | 'refused';
  /** Partitions by the folders of the bucket. */
  readonly partitions: number;
  /** Files whose footers were read. */
  readonly filesRead: number;
  readonly differences: readonly CrawlDifference[];
}

/** Where a crawl reads and writes. */
export interface CrawlParts {
  readonly store: Pick<InspectableStore, 'listFolders' | 'listSized' | 'getRange'>;
  readonly catalog: Pick<GlueCatalog, 'partitions' | 'register' | 'locationOf'>;
  readonly glue: Pick<CatalogTable, 'read' | 'create' | 'setColumns' | 'setDeprecated' | 'deprecatePartitions'>;
  /** Prefix of the table's files. */
  readonly table: string;
  /** `s3://…/` of that prefix. */
  readonly location: string;
  readonly database: string;
  readonly partitionKey: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Infers columns and partitions of a table from its files, as Glue's crawler does, compares them with the catalog, and applies the differences
 * that the policy allows. A change that would break a reader is never applied: another type, or a column that no file has.
 *
 * It costs one LIST for each thousand partitions, and one LIST and one GET for each of at most {@link footersMax} files.
 *
 * @throws LakeError when S3 or Glue does not answer, or another writer changed the table meanwhile
 */
export async function crawlTable(parts: CrawlParts, policy: CrawlPolicy, options: CallOptions = {}): Promise<CrawlReport> {
  const { store, catalog, glue, table, database, partitionKey } = parts;
  const [folders, known] = await Promise.all([store.listFolders(tablePrefix(table), options), glue.read(options)]);
  const values = folders.flatMap((folder) => valueOf(folder, partitionKey) ?? []);
  const files = await sampleFiles(parts, values, options);
  const columns = await Promise.all(files.map(async ({ key, bytes }) => await columnsInFooter(store, key, bytes, options)));
  // A file may repeat the partition key, which engines take from the catalog.
  const found = mergeColumns(columns.map((list) => list.filter(({ name }) => name !== partitionKey)));
  const registered = known === undefined ? [] : await catalog.partitions(options);
  const differences: CrawlDifference[] = [
    ...folders
      .filter((folder) => isVisible(`${folder}x`) && valueOf(folder, partitionKey) === undefined)
      .map((name): CrawlDifference => ({ kind: 'folder-unknown', name, action: 'refused' })),
    ...(await applyTable(parts, policy, known, found, files.length, options)),
    ...(await applyPartitions(parts, policy, known, new Set(values), registered, options)),
  ];
  return {
    table,
    database,
    policy,
    verdict: verdictOf(differences),
    partitions: values.length,
    filesRead: files.length,
    differences: differences.slice(0, namedMax),
  };
}

function verdictOf(differences: readonly CrawlDifference[]): CrawlReport['verdict'] {
  if (differences.length === 0) return 'equal';
  if (differences.some(({ action }) => action === 'refused')) return 'refused';
  return differences.some(({ action }) => action === 'logged') ? 'differs' : 'applied';
}

function valueOf(folder: string, partitionKey: string): string | undefined {
  const value = folder.startsWith(`${partitionKey}=`) ? folder.slice(partitionKey.length + 1, -1) : '';
  return value === '' ? undefined : value;
}

/** One file of each of some partitions: half of them the newest, the others evenly over the rest. */
async function sampleFiles(
  { store, table, partitionKey }: CrawlParts,
  values: readonly string[],
  options: CallOptions,
): Promise<readonly ListedObject[]> {
  const newestFirst = values.toSorted().toReversed();
  const newest = newestFirst.slice(0, footersMax / 2);
  const rest = newestFirst.slice(newest.length);
  const step = Math.max(1, rest.length / (footersMax - newest.length));
  const spread = Array.from({ length: Math.min(rest.length, footersMax - newest.length) }, (_, index) => rest[Math.floor(index * step)]!);
  const chosen = [...newest, ...spread];
  const lists = await Promise.all(
    chosen.map(async (value) => await store.listSized(partitionPrefix(table, partitionKey, value), { ...options, limit: 10 })),
  );
  return lists.flatMap((list) => list.filter(({ key }) => isVisible(key) && key.endsWith('.parquet')).slice(-1));
}

async function applyTable(
  { glue, table, location, partitionKey, now }: CrawlParts,
  policy: CrawlPolicy,
  known: CrawledTable | undefined,
  found: FoundColumns,
  files: number,
  options: CallOptions,
): Promise<CrawlDifference[]> {
  const changes = policy !== 'log';
  if (known === undefined) {
    if (files === 0) return [];
    const columns = [...found].map(([name, types]) => ({ name, type: widestOf(types) ?? 'nested' }));
    const isUsable = columns.every(({ type }) => type !== 'nested');
    if (changes && isUsable) await glue.create(columns, partitionKey, location, options);
    return [{ kind: 'table-missing', name: table, action: !isUsable ? 'refused' : changes ? 'applied' : 'logged' }];
  }
  if (files === 0) {
    if (known.isDeprecated) return [];
    if (policy === 'deprecate') await glue.setDeprecated(known, now(), options);
    return [{ kind: 'table-empty', name: table, action: policy === 'deprecate' ? 'applied' : 'logged' }];
  }
  const differences = columnDifferences(found, known.columns);
  const applied = differences.filter(({ kind }) => kind === 'column-added' || kind === 'column-widened');
  if (changes && applied.length > 0) await glue.setColumns(known, widened(known.columns, applied), options);
  return differences.map(({ kind, column, ...types }) => ({
    kind,
    name: column,
    ...types,
    action: kind === 'column-added' || kind === 'column-widened' ? (changes ? 'applied' : 'logged') : 'refused',
  }));
}

async function applyPartitions(
  { glue, catalog, now }: CrawlParts,
  policy: CrawlPolicy,
  known: CrawledTable | undefined,
  values: ReadonlySet<string>,
  registered: readonly CatalogPartition[],
  options: CallOptions,
): Promise<CrawlDifference[]> {
  const changes = policy !== 'log';
  const names = new Set(registered.map(({ value }) => value));
  const missing = [...values].filter((value) => !names.has(value)).toSorted();
  // The partitions of a replay are elsewhere on purpose.
  const elsewhere = registered.filter(({ value, location }) => withSlash(location) !== catalog.locationOf(value));
  const empty = registered.filter(
    (partition) => !values.has(partition.value) && !elsewhere.includes(partition) && partition.isDeprecated !== true,
  );
  if (changes && missing.length > 0) await catalog.register(missing, options);
  if (policy === 'deprecate' && empty.length > 0 && known !== undefined) await glue.deprecatePartitions(empty, known, now(), options);
  return [
    ...missing.map((name): CrawlDifference => ({ kind: 'partition-missing', name, action: changes ? 'applied' : 'logged' })),
    ...empty.map(({ value }): CrawlDifference => ({
      kind: 'partition-empty',
      name: value,
      action: policy === 'deprecate' ? 'applied' : 'logged',
    })),
    ...elsewhere.map(({ value, location }): CrawlDifference => ({
      kind: 'partition-elsewhere',
      name: value,
      found: catalog.locationOf(value),
      catalog: location,
      action: 'refused',
    })),
  ];
}

function withSlash(location: string): string {
  return location.endsWith('/') ? location : `${location}/`;
}

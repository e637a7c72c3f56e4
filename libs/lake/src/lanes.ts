import { tableLedgerPrefix, type LaneId } from './keys.ts';
import type { CallOptions, ObjectStore } from './object-store.ts';

/** Lists the topics that have a ledger of a table. */
export async function topicsOf(store: Pick<ObjectStore, 'listFolders'>, table: string, options: CallOptions = {}): Promise<string[]> {
  return (await store.listFolders(tableLedgerPrefix(table), options)).map((folder) => folder.slice(0, -1));
}

/** Lists the lanes of a topic that have a ledger, by partition. A lane without a batch has none yet. */
export async function lanesOfTopic(
  store: Pick<ObjectStore, 'listFolders'>,
  { table, topic }: Pick<LaneId, 'table' | 'topic'>,
  options: CallOptions = {},
): Promise<LaneId[]> {
  const folders = await store.listFolders(`${tableLedgerPrefix(table)}${topic}/`, options);
  const partitions = folders.flatMap((folder) => /^p=(\d{1,10})\/$/.exec(folder)?.[1] ?? []).map(Number);
  return partitions.toSorted((a, b) => a - b).map((partition) => ({ table, topic, partition }));
}

/** Lists the lanes of a table's ledger, over all its topics, by partition. */
export async function lanesOf(store: Pick<ObjectStore, 'listFolders'>, table: string, options: CallOptions = {}): Promise<LaneId[]> {
  const lanes: LaneId[] = [];
  for (const topic of await topicsOf(store, table, options)) lanes.push(...(await lanesOfTopic(store, { table, topic }, options)));
  return lanes.toSorted((a, b) => a.partition - b.partition);
}

import type { KafkaAccess } from '@millrace/kafka/access';
import { tablePrefix } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import { withAdmin } from '../kafka/kafka-log.ts';
import type { Lake } from '../lake/open-lake.ts';

/**
 * Refuses when a sink is in the group that writes the live table. Events that it lands after the comparison would be in the old files only.
 *
 * @throws OperationError `conflict` with the way to stop the sinks
 */
export async function refuseRunningSinks(kafka: KafkaAccess, groupId: string): Promise<void> {
  const { groups } = await withAdmin(kafka, async (admin) => await admin.describeGroups([groupId]));
  const members = groups[0]?.members.length ?? 0;
  if (members > 0)
    throw new OperationError(
      'conflict',
      `${members} of the group ${groupId} still write the live table: stop every sink first (./millrace stop sink; one that was killed leaves the group after 6 s). Purchases wait in Kafka meanwhile.`,
    );
}

/**
 * Points the catalog's table and each of its partitions at the files of a replay. It may be repeated. While it runs, readers see some
 * days in the old files and some in the new ones, which hold the same rows.
 *
 * @param replay the table of the replay, under the catalog's name of the live table
 * @returns values of the partition key that now point at the replay
 */
export async function switchTable({ store, catalog, stream }: Lake, signal: AbortSignal): Promise<readonly string[]> {
  const prefix = `${stream.partitionKey}=`;
  const folders = await store.listFolders(tablePrefix(stream.table), { signal });
  const values = folders.filter((folder) => folder.startsWith(prefix)).map((folder) => folder.slice(prefix.length, -1));
  await catalog.ensureTable({ signal });
  await catalog.register(values, { signal });
  // A day without files in the replay gets an empty location: readers must not see its old rows beside the new ones.
  const elsewhere = (await catalog.partitions({ signal })).filter(
    ({ value, location }) => location.replace(/\/?$/, '/') !== catalog.locationOf(value),
  );
  await catalog.relocate(
    elsewhere.map(({ value }) => value),
    { signal },
  );
  return [...new Set([...values, ...elsewhere.map(({ value }) => value)])].toSorted();
}

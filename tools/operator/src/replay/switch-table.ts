import { tablePrefix } from '@millrace/lake';
import { OperatorError } from '../errors.ts';
import { withAdmin } from '../kafka-log.ts';
import type { Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';

/**
 * Refuses when a sink is in the group that writes the live table: what it lands after the comparison would be in the old files only.
 *
 * @throws OperatorError naming how to stop it
 */
export async function refuseRunningSinks(env: Readonly<Record<string, string>>): Promise<void> {
  const groupId = env['SINK_GROUP_ID'] ?? 'millrace-sink';
  const { groups } = await withAdmin(env, async (admin) => await admin.describeGroups([groupId]));
  const members = groups[0]?.members.length ?? 0;
  if (members > 0) throw new OperatorError(`${members} of the group ${groupId} still write the live table: stop every sink first (./millrace stop sink; one that was killed leaves the group after 6 s). Purchases wait in Kafka meanwhile.`);
}

/**
 * Points the catalog's table, and every partition of it, at the files of a replay. May be repeated; while it works readers see some
 * days in the old files and some in the new ones, which hold the same rows.
 *
 * @param replay the replay's files, under the catalog's name of the live table
 * @returns values of the partition key that were pointed there
 */
export async function switchTable({ store, catalog, stream }: Lake, { signal }: Pick<OperatorContext, 'signal'>): Promise<readonly string[]> {
  const prefix = `${stream.partitionKey}=`;
  const folders = await store.listFolders(tablePrefix(stream.table), { signal });
  const values = folders.filter((folder) => folder.startsWith(prefix)).map((folder) => folder.slice(prefix.length, -1));
  await catalog.ensureTable({ signal });
  await catalog.register(values, { signal });
  // Those the replay has no files for are pointed at an empty place: their old rows must not stay in view beside the new ones.
  const elsewhere = (await catalog.partitions({ signal })).filter(({ value, location }) => location.replace(/\/?$/, '/') !== catalog.locationOf(value));
  await catalog.relocate(elsewhere.map(({ value }) => value), { signal });
  return [...new Set([...values, ...elsewhere.map(({ value }) => value)])].toSorted();
}

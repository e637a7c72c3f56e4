import { checkLake, waitUntil, type LakeCheck } from '@millrace/testing';
import { lake, stack } from './stack.ts';

/** How many offsets the ledger of a table accounts for, over all lanes of a topic. */
export async function recordedOffsets(table: string, topic: string): Promise<number> {
  const prefix = `_ledger/${table}/${topic}/`;
  // The newest entry of a lane has its first key.
  const heads = new Map((await lake.objects(prefix)).toReversed().map(({ key }) => [key.slice(0, key.lastIndexOf('/')), key]));
  const ends = await Promise.all(
    [...heads.values()].map(async (key) => (JSON.parse((await lake.read(key)).toString('utf8')) as { to: number }).to),
  );
  return ends.reduce((sum, to) => sum + to, 0);
}

/** The partitions of a topic that have a batch in the ledger of a table. */
export async function recordedPartitions(table: string, topic: string): Promise<Set<number>> {
  const keys = await lake.objects(`_ledger/${table}/${topic}/`);
  return new Set(keys.map(({ key }) => Number(/\/p=(\d+)\//.exec(key)?.[1])));
}

/** Waits until a number of offsets is recorded and every file of theirs is there, and judges the lake then. */
export async function landedLake(offsets: number, table: string, topic: string, timeoutMs = 120_000): Promise<LakeCheck> {
  await waitUntil(`${offsets} offsets in the ledger of ${table}`, async () => (await recordedOffsets(table, topic)) >= offsets, {
    timeoutMs,
    everyMs: 250,
  });
  const judge = async (): Promise<LakeCheck> => await checkLake({ endpoint: stack.awsUrl, bucket: stack.bucket, table, topic });
  await waitUntil('every recorded file to be published', async () => (await judge()).missingFiles.length === 0, {
    timeoutMs,
    everyMs: 250,
  });
  return await judge();
}

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Ledger, type LedgerEntry } from '@millrace/lake';
import { OperatorError } from '../errors.ts';
import { kafkaOf, withAdmin } from '../kafka-log.ts';
import { landedEnds } from '../landed-ends.ts';
import { grouped } from '../numbers.ts';
import type { Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';
import type { PartitionPlan } from './replay-plan.ts';
import { ReplaySink } from './replay-sink.ts';

/**
 * Rebuilds a table from the topic: by the sink itself, in a group of its own that is deleted afterwards whatever happens. A table that
 * is there already is continued.
 *
 * @param target the table to write
 */
export async function rebuild(target: Lake, plan: readonly PartitionPlan[], { root, env, signal }: Pick<OperatorContext, 'root' | 'env' | 'signal'>, note: (text: string) => void): Promise<void> {
  await leaveOutStarts(target, plan, env, signal);
  const groupId = `millrace-replay-${randomUUID()}`;
  const sink = ReplaySink.start(root, env, target.stream.table, groupId);
  const total = plan.reduce((sum, { start, to }) => sum + Math.max(0, to - start), 0);
  try {
    await sink.takeTo(new Map(plan.map(({ partition, to }) => [partition, to])), signal, (taken) => {
      const done = plan.reduce((sum, { partition, start, to }) => sum + Math.min(Math.max(0, to - start), Math.max(0, (taken.get(partition) ?? 0) - start)), 0);
      note(`${grouped(done)} of ${grouped(total)} events taken${total === 0 ? '' : `, ${Math.floor((100 * done) / total)} %`}`);
    });
    note(`${grouped(total)} events taken; the last of them land`);
    await sink.finish(signal);
  } finally {
    await sink.dispose();
    await deleteReplayGroup(env, groupId);
  }
  const ends = await landedEnds(target, signal);
  const behind = plan.filter(({ partition, to }) => (ends.get(partition)?.landed ?? 0) < to);
  if (behind.length > 0) throw new OperatorError(`The replay did not land to the end of partition ${behind.map(({ partition }) => partition).join(', ')}; run it again with --into ${target.stream.table}.`);
}

// The chain of a lane starts at 0. What is left out of a part is a gap, recorded as one before the sink begins.
async function leaveOutStarts({ store, stream }: Lake, plan: readonly PartitionPlan[], env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const late = plan.filter(({ start, low }) => start > low);
  if (late.length === 0) return;
  const { clusterId } = await withAdmin(env, async (admin) => await admin.describeCluster());
  for (const { partition, start } of late) {
    const ledger = new Ledger(store, { table: stream.table, topic: stream.topic.name, partition });
    if ((await ledger.head({ signal })) !== undefined) continue;
    const gap: LedgerEntry = {
      v: 1,
      id: randomUUID(),
      prev: null,
      kind: 'gap',
      from: 0,
      to: start,
      dropped: [],
      rejected: [],
      absent: [],
      files: [],
      topic: { cluster: clusterId },
      writer: 'millrace replay',
      contract: stream.contract,
      reason: 'the replay of a part leaves out what came before it',
    };
    await ledger.record(gap, { wait: async (_attempt, error) => await Promise.reject(error) }, signal);
  }
}

// A killed member is in its group until its session ends.
async function deleteReplayGroup(env: Readonly<Record<string, string>>, groupId: string): Promise<void> {
  const admin = kafkaOf(env).admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const left = await admin.deleteGroups([groupId]).then(() => false, async () => (await admin.listGroups()).groups.some((group) => group.groupId === groupId));
      if (!left) return;
      await delay(1000);
    }
  } catch {
    // Kafka is away, and forgets an empty group by itself.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

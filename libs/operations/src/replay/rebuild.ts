import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaAccess } from '@millrace/kafka/access';
import { Ledger, type LedgerEntry } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import { kafkaOf, withAdmin } from '../kafka/kafka-log.ts';
import { landedEnds } from '../lake/landed-ends.ts';
import type { Lake } from '../lake/open-lake.ts';
import { grouped } from '../numbers.ts';
import type { PartitionPlan } from './replay-plan.ts';
import { ReplaySink, type SinkProgram } from './replay-sink.ts';

/** Options of {@link rebuild}. */
export interface RebuildOptions {
  readonly kafka: KafkaAccess;
  readonly sink: SinkProgram;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/**
 * Rebuilds a table from the topic with a sink in its own consumer group. The group is deleted at the end, also after an error. An existing
 * table is continued.
 *
 * @param target the table to write
 * @throws OperationError `unfinished` when the sink did not land every event, `unavailable` when Kafka does not answer
 */
export async function rebuild(
  target: Lake,
  plan: readonly PartitionPlan[],
  { kafka, sink: program, signal, note }: RebuildOptions,
): Promise<void> {
  await recordStartGaps(target, plan, kafka, signal);
  const groupId = `millrace-replay-${randomUUID()}`;
  const sink = ReplaySink.start(program, target.stream.table, groupId);
  const total = plan.reduce((sum, { start, to }) => sum + Math.max(0, to - start), 0);
  try {
    await sink.takeTo(new Map(plan.map(({ partition, to }) => [partition, to])), signal, (taken) => {
      const done = plan.reduce(
        (sum, { partition, start, to }) => sum + Math.min(Math.max(0, to - start), Math.max(0, (taken.get(partition) ?? 0) - start)),
        0,
      );
      note(`${grouped(done)} of ${grouped(total)} events taken${total === 0 ? '' : `, ${Math.floor((100 * done) / total)} %`}`);
    });
    note(`${grouped(total)} events taken; the last ones land`);
    await sink.finish(signal);
  } finally {
    await sink.dispose();
    await deleteReplayGroup(kafka, groupId);
  }
  const ends = await landedEnds(target, signal);
  const behind = plan.filter(({ partition, to }) => (ends.get(partition)?.landed ?? 0) < to);
  if (behind.length > 0)
    throw new OperationError(
      'unfinished',
      `The replay did not land to the end of partition ${behind.map(({ partition }) => partition).join(', ')}; run it again with --into ${target.stream.table}.`,
    );
}

// The chain of a lane starts at 0, so the offsets before the replayed part become a gap entry before the sink starts.
async function recordStartGaps(
  { store, stream }: Lake,
  plan: readonly PartitionPlan[],
  kafka: KafkaAccess,
  signal: AbortSignal,
): Promise<void> {
  const late = plan.filter(({ start, low }) => start > low);
  if (late.length === 0) return;
  const { clusterId } = await withAdmin(kafka, async (admin) => await admin.describeCluster());
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

// A killed member stays in its group until its session ends.
async function deleteReplayGroup(kafka: KafkaAccess, groupId: string): Promise<void> {
  const admin = kafkaOf(kafka).admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const left = await admin.deleteGroups([groupId]).then(
        () => false,
        async () => (await admin.listGroups()).groups.some((group) => group.groupId === groupId),
      );
      if (!left) return;
      await delay(1000);
    }
  } catch {
    // Kafka is down. It deletes an empty group by itself.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

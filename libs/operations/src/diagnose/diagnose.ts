import { randomUUID } from 'node:crypto';
import { readTopicSafety, topicRisks } from '@millrace/kafka';
import { isLakeError, probePrefix, probeStore, remedyOfLakeError } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import { withAdmin } from '../kafka/kafka-log.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';
import type { Target } from '../target.ts';

/** One finding about a part that the table depends on. */
export interface Finding {
  readonly part: 'kafka' | 'store' | 'catalog';
  /**
   * `fault`: the table cannot work with it. `risk`: it works, and an acknowledged event may be lost or reports may be wrong. `note`: it is
   * sound and differs from its declaration.
   */
  readonly state: 'sound' | 'note' | 'risk' | 'fault';
  /** The fact, and the remedy of a risk or a fault. */
  readonly text: string;
}

const phases = ['kafka', 'store', 'catalog'] as const;

/**
 * Checks the parts that a table depends on: the topic and its risks, the object store, the table in the catalog.
 * It writes one object under `_probes/` and deletes it.
 */
export async function diagnose(target: Target, { signal, onProgress }: OperationOptions<Finding['part']>): Promise<Finding[]> {
  const checks = { kafka: checkTopic, store: checkBucket, catalog: checkCatalog };
  const findings: Finding[] = [];
  for (const part of phases) {
    beginPhase(onProgress, part);
    try {
      findings.push(...(await checks[part](target, signal)));
    } catch (error) {
      signal.throwIfAborted();
      const remedy = remedyOfLakeError(error);
      const text = (error as Error).message;
      findings.push({ part, state: 'fault', text: endedWithPoint(remedy === undefined ? text : `${text}; ${remedy}`) });
    }
  }
  return findings;
}

async function checkTopic({ lake, kafka }: Target): Promise<Finding[]> {
  const { topic } = lake.stream;
  const safety = await withAdmin(kafka, async (admin) => {
    if (!(await admin.listTopics()).includes(topic.name))
      throw new OperationError(
        'not-found',
        `Kafka at ${kafka.brokers.join(',')} has no topic ${topic.name}, or hides it from this login. The set-up creates it: ./millrace up.`,
      );
    return await readTopicSafety(admin, topic.name);
  });
  const { partitions, brokers, replicas } = safety;
  const findings = topicRisks(safety).map((text): Finding => ({ part: 'kafka', state: 'risk', text }));
  if (partitions < topic.partitions)
    findings.push({
      part: 'kafka',
      state: 'fault',
      text: `The topic ${topic.name} has ${partitions} of at least ${topic.partitions} partitions: add partitions, or use another topic.`,
    });
  if (findings.length === 0)
    findings.push({
      part: 'kafka',
      state: 'sound',
      text: `Topic ${topic.name}: ${partitions} partitions, replicas ${replicas}, brokers ${brokers}.`,
    });
  if (partitions > topic.partitions)
    findings.push({
      part: 'kafka',
      state: 'note',
      text: `The topic ${topic.name} has grown from ${topic.partitions} to ${partitions} partitions. Keys keep their order from then on.`,
    });
  return findings;
}

async function checkBucket({ lake }: Target, signal: AbortSignal): Promise<Finding[]> {
  const { store, bucket, stream } = lake;
  const leftovers: Finding[] = [];
  await probeStore({
    store,
    prefix: `${probePrefix(stream.table)}doctor-${randomUUID()}/`,
    n: 1,
    address: () => store.address,
    signal,
    onLeftover: (error) =>
      leftovers.push({
        part: 'store',
        state: 'risk',
        text: endedWithPoint(`An object under _probes/ was not deleted: ${(error as Error).message}`),
      }),
  });
  return leftovers.length > 0
    ? leftovers
    : [
        {
          part: 'store',
          state: 'sound',
          text: `Bucket ${bucket}: conditional writes and reads after writes hold. ./millrace verify store tests more.`,
        },
      ];
}

async function checkCatalog({ lake }: Target, signal: AbortSignal): Promise<Finding[]> {
  const { glueTable, stream, catalogTable } = lake;
  const name = `${stream.database}.${catalogTable}`;
  const table = await glueTable.read({ signal }).catch((error: unknown) => {
    if (isLakeError(error, 'no-such-key') || isLakeError(error, 'misconfigured')) return undefined;
    throw error;
  });
  if (table === undefined)
    return [{ part: 'catalog', state: 'fault', text: `The catalog has no table ${name}. The set-up creates it: ./millrace up.` }];
  const missing = stream.columns
    .filter((column) => !table.columns.some(({ name: found }) => found === column.name))
    .map((column) => column.name);
  return missing.length === 0
    ? [{ part: 'catalog', state: 'sound', text: `Table ${name}: ${table.columns.length} columns.` }]
    : [
        {
          part: 'catalog',
          state: 'risk',
          text: `The catalog's table ${name} lacks ${missing.join(', ')}: ./millrace crawl --policy update adds them.`,
        },
      ];
}

function endedWithPoint(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

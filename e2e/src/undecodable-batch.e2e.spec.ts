import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { batchBytes, RawProducer, sealBatch } from '@millrace/kafka/testing';
import { spawnService, waitUntil, type ServiceProcess } from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { landedLake, recordedOffsets } from './landed.ts';
import { makePurchases } from './purchases.ts';
import { stack } from './stack.ts';
import { createTopic, deleteTopic } from './topic.ts';

const table = `undecodable_${randomUUID().slice(0, 8)}`;
const spool = join(stack.home, `spool-${table}`);
let topic: string;
let producer: RawProducer;
let sink: ServiceProcess;

beforeAll(async () => {
  topic = await createTopic('e2e-undecodable');
  producer = await RawProducer.connect(stack.kafkaBrokers.split(',')[0]!);
});

afterAll(async () => {
  producer.close();
  await sink?.kill();
  await deleteTopic(topic);
  rmSync(spool, { recursive: true, force: true });
});

// A broker checks each batch that it receives, so the test damages the batch on the broker's disk.
function plant(partition: number, nth: number, change: (batch: Buffer) => void): void {
  const path = join(stack.home, 'kafka', 'data', `${topic}-${partition}`, '00000000000000000000.log');
  const segment = readFileSync(path);
  let at = 0;
  for (let n = 0; n < nth; n += 1) at += 12 + segment.readInt32BE(at + 8);
  const batch = segment.subarray(at, at + 12 + segment.readInt32BE(at + 8));
  change(batch);
  const file = openSync(path, 'r+');
  writeSync(file, batch, 0, batch.length, at);
  closeSync(file);
}

async function lanesText(): Promise<string> {
  const { dependencies } = (await (await fetch(`${sink.url}/health/ready`)).json()) as {
    dependencies: { name: string; error?: string; detail?: string }[];
  };
  return JSON.stringify(dependencies.find(({ name }) => name === 'lanes'));
}

interface Repaired {
  readonly batch: Readonly<Record<string, unknown>> | null;
}

async function repair(partition: number, offset: number, ...args: readonly string[]): Promise<Repaired> {
  const { stdout } = await promisify(execFile)(
    '../millrace',
    ['repair', '--undecodable', '--partition', String(partition), '--offset', String(offset), ...args, '--json', '--table', table],
    { env: { ...process.env, SINK_TOPIC: topic } },
  );
  return JSON.parse(stdout) as Repaired;
}

it('a batch that cannot be decoded stops only its own partition, and lands as rejects with an operator’s permission', async () => {
  const events = makePurchases(30);
  const produce = async (partition: number, from: number, to: number): Promise<number> =>
    await producer.produce(
      topic,
      partition,
      batchBytes({ records: events.slice(from, to).map((event) => ({ value: JSON.stringify(event) })) }),
    );
  await produce(0, 0, 3);
  await produce(0, 3, 8);
  await produce(0, 8, 10);
  await produce(1, 10, 20);
  await produce(1, 20, 22);
  plant(0, 1, (batch) => {
    batch[22] = 5;
    sealBatch(batch);
  });
  plant(1, 1, (batch) => {
    batch[batch.length - 1]! ^= 1;
  });
  sink = await spawnService(
    'sink',
    { SINK_TOPIC: topic, SINK_TABLE: table, SINK_GROUP_ID: topic, SINK_SPOOL_DIR: spool, SINK_FLUSH_SECONDS: '1' },
    { until: 'live' },
  );
  await produce(2, 22, 30);

  await waitUntil(
    'everything before the batches, and the other partition, to land',
    async () => (await recordedOffsets(table, topic)) === 3 + 10 + 8,
    { timeoutMs: 60_000 },
  );
  await waitUntil(
    'the batch to be named',
    async () => (await lanesText()).includes('partition 0: the batch at offsets 3-7 cannot be decoded: unknown compression codec 5'),
    { timeoutMs: 30_000 },
  );

  expect((await repair(0, 3)).batch).toMatchObject({
    partition: 0,
    from: 3,
    to: 8,
    reason: 'unknown compression codec 5',
    permitted: false,
    header: { records: 5 },
  });
  expect((await repair(0, 5, '--apply')).batch).toMatchObject({ from: 3, to: 8, permitted: true });
  expect((await repair(1, 10, '--apply')).batch).toMatchObject({ from: 10, to: 12, permitted: true });
  const check = await landedLake(30, table, topic);
  expect(check.faults).toEqual([]);
  expect({ rows: check.rows, rejected: check.rejected }).toEqual({ rows: 23, rejected: 7 });
}, 180_000);

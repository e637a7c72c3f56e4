import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { FaultProxy } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expectations/expect-each-once.ts';
import { expectLandedInOrder } from './testing/expectations/expect-landed-in-order.ts';
import { purchaseMessage, purchaseMessages } from './testing/purchases/purchase-message.ts';
import type { SinkProcess } from './testing/process/sink-process.ts';
import { testParts } from './testing/process/test-parts.ts';
import { TestTable } from './testing/process/test-table.ts';

const { KAFKA_PROXIED_BROKERS: proxied = '127.0.0.1:9094', KAFKA_ADVERTISED_PORT: advertised = '9095' } = process.env;
const poll = { timeout: 60_000, interval: 200 };

let table: TestTable;
let kafka: FaultProxy;
let s3: FaultProxy;
beforeEach(async () => {
  table = await TestTable.open();
  kafka = await FaultProxy.start({ protocol: 'kafka', target: proxied, port: Number(advertised) });
  s3 = await FaultProxy.start({ protocol: 'http', target: testParts.awsUrl });
});
afterEach(async () => {
  await table?.close();
  await kafka?.close();
  await s3?.close();
});

/** A sink behind both proxies that has taken its first 500 events. */
async function workingSink(settings: Readonly<Record<string, string>>): Promise<SinkProcess> {
  await table.produce(purchaseMessages(0, 500));
  const sink = await table.sink({
    KAFKA_BROKERS: kafka.address,
    AWS_ENDPOINT_URL_S3: s3.url,
    SINK_S3_BREAKER_BREAK_DURATION_MS: '500',
    SINK_S3_BREAKER_BREAK_DURATION_MS_MAX: '1000',
    ...settings,
  });
  await expect.poll(async () => await sink.metric('millrace_sink_records_total', { result: 'row' }), poll).toBe(500);
  return sink;
}

const healthOf = async (sink: SinkProcess): Promise<string> => JSON.stringify((await sink.get('/health/ready')).body);

/** Limits the size of files that the sink may write, which acts like a full disk. */
function fileSizeOf(sink: SinkProcess, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(sink.child.pid), `--fsize=${bytes}:unlimited`]);
}

/** Makes Kafka unavailable until kafkajs gives its consumer up. */
async function withoutKafka(sink: SinkProcess): Promise<void> {
  await kafka.inject({ kind: 'refuse' });
  await sink.line(({ msg }) => msg.startsWith('kafkajs: Crash'));
  await expect.poll(async () => await healthOf(sink), poll).toContain('the consumer group is not joined');
}

describe('the sink without Kafka', () => {
  it('a sink that is stopped while Kafka is down lands the records that it had taken', async () => {
    const sink = await workingSink({ SINK_FLUSH_SECONDS: '3600' });
    await withoutKafka(sink);
    expect(await table.rows()).toEqual([]);
    await sink.end('SIGTERM');
    expect(sink.child.exitCode).toBe(0);
    expectEachOnce(await table.landed(30_000), 500);
  });

  it('a sink that is stopped while the broker does not answer lands the records that it took, and ends in time', async () => {
    const sink = await workingSink({ SINK_FLUSH_SECONDS: '3600' });
    await kafka.inject({ kind: 'black-hole' });
    await sink.end('SIGTERM');
    expect(sink.child.exitCode).toBe(0);
    expectEachOnce(await table.landed(30_000), 500);
  });

  it('a full spool drains when S3 is back, and every partition continues when Kafka is back', async () => {
    const sink = await workingSink({ SINK_FLUSH_BYTES: '32768', SINK_SPOOL_BYTES_MAX: '1048576' });
    await s3.inject({ kind: 'status', status: 503 });
    // Incompressible titles still fill the spool after they are encoded.
    await table.produce(Array.from({ length: 19_500 }, (_, n) => purchaseMessage(500 + n, { title: randomBytes(150).toString('base64') })));
    // Batches shrink when they are encoded, so a full spool can hold less than its limit.
    await expect.poll(async () => await healthOf(sink), poll).toContain('it is full, and Kafka is the queue');
    await expect.poll(async () => (await table.spooled()).length - (await sink.metric('millrace_sink_spool_batches')), poll).toBe(0);
    await withoutKafka(sink);
    await s3.clear();
    await expect.poll(async () => await sink.metric('millrace_sink_spool_batches'), poll).toBe(0);
    await kafka.clear();
    expectEachOnce(await table.landed(), 20_000);
    expectLandedInOrder(sink.lines);
    expect(sink.lines.filter(({ type }) => type === 'LaneStarted')).toHaveLength(table.partitions);
  });
});

describe('a disk that is full at the start', () => {
  const isFull = 'the disk of the spool is full (EFBIG)';

  it('a full disk keeps a starting sink out of the group and unhealthy, even without Kafka, until there is room', async () => {
    await table.produce(purchaseMessages(0, 500));
    await kafka.inject({ kind: 'refuse' });
    const sink = await table.sink({ KAFKA_BROKERS: kafka.address }, ['prlimit', '--fsize=0:unlimited']);
    expect((await sink.get('/health/ready')).status).toBe(503);
    expect(await healthOf(sink)).toContain(isFull);
    await sink.line(({ msg }) => msg.includes(isFull));
    fileSizeOf(sink, 'unlimited');
    await expect.poll(async () => await healthOf(sink), poll).not.toContain(isFull);
    await kafka.clear();
    expectEachOnce(await table.landed(), 500);
  });

  it('a full disk does not keep a starting sink from stopping', async () => {
    const sink = await table.sink({}, ['prlimit', '--fsize=0:unlimited']);
    expect(await healthOf(sink)).toContain(isFull);
    await sink.end('SIGTERM');
    expect(sink.child.exitCode).toBe(0);
  });
});

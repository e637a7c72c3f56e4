import { execFileSync } from 'node:child_process';
import { FaultProxy, type Fault } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expect-each-once.ts';
import { purchaseMessages } from './testing/purchase-message.ts';
import type { SinkProcess } from './testing/sink-process.ts';
import { testParts } from './testing/test-parts.ts';
import { TestTable } from './testing/test-table.ts';

let table: TestTable;
let proxy: FaultProxy;
beforeEach(async () => {
  table = await TestTable.open();
  proxy = await FaultProxy.start({ protocol: 'http', target: testParts.awsUrl });
});
afterEach(async () => {
  await table.close();
  await proxy.close();
});

const settings = { SINK_FLUSH_BYTES: '32768', SINK_S3_TIMEOUT_MS: '1000' };

async function taken(sink: SinkProcess, count: number): Promise<void> {
  await expect.poll(async () => await sink.metric('millrace_sink_records_total', { result: 'row' }), { timeout: 60_000, interval: 250 }).toBe(count);
}

/** A sink behind the proxy that has landed its first 500 events. */
async function workingSink(more: Readonly<Record<string, string>> = {}): Promise<SinkProcess> {
  await table.produce(purchaseMessages(0, 500));
  const sink = await table.sink({ ...settings, AWS_ENDPOINT_URL_S3: proxy.url, ...more });
  expectEachOnce(await table.landed(), 500);
  return sink;
}

describe('while S3 is down', () => {
  const faults: readonly Fault[] = [{ kind: 'refuse' }, { kind: 'status', status: 503 }, { kind: 'status', status: 403, code: 'AccessDenied' }, { kind: 'black-hole' }];

  it.each(faults)('($kind $status) the sink consumes and spools, keeps its membership past the session timeout, and lands everything once when it is back', async (fault) => {
    const sink = await workingSink();
    await proxy.inject(fault);
    await table.produce(purchaseMessages(500, 4000));
    await taken(sink, 4000);
    // Longer than the session timeout of 6 s.
    const until = Date.now() + 8000;
    await expect.poll(() => Date.now() > until, { timeout: 20_000 }).toBe(true);
    expect(await sink.metric('millrace_sink_spool_batches')).toBeGreaterThan(0);
    expect(await sink.metric('millrace_sink_spool_bytes')).toBeGreaterThan(0);
    expect(await table.rows()).toHaveLength(500);
    const { status, body } = await sink.get('/health/ready');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'degraded' });
    await proxy.clear();
    await table.produce(purchaseMessages(4000, 4500));
    expectEachOnce(await table.landed(), 4500);
    // Each lane was started once: no rebalance took one away.
    expect(sink.lines.filter(({ type }) => type === 'LaneStarted')).toHaveLength(table.partitions);
  }, 240_000);

  it('a killed sink finds its spool again, and reads nothing twice', async () => {
    const sink = await workingSink();
    await proxy.inject({ kind: 'refuse' });
    await table.produce(purchaseMessages(500, 3000));
    await taken(sink, 3000);
    await expect.poll(async () => await sink.metric('millrace_sink_open_segments'), { timeout: 30_000 }).toBe(0);
    await sink.end('SIGKILL');
    await proxy.clear();
    const successor = await table.sink({ ...settings, AWS_ENDPOINT_URL_S3: proxy.url });
    expectEachOnce(await table.landed(), 3000);
    const adopted = successor.lines.filter(({ type }) => type === 'SpoolAdopted');
    expect(adopted.length).toBeGreaterThan(0);
    expect(await successor.metric('millrace_sink_records_total', { result: 'row' })).toBeLessThan(2500);
  }, 240_000);

  it('a full spool pauses the partitions, Kafka is the queue, and nothing is lost', async () => {
    const sink = await workingSink({ SINK_SPOOL_BYTES_MAX: String(1024 * 1024) });
    await proxy.inject({ kind: 'refuse' });
    await table.produce(purchaseMessages(500, 60_000));
    await expect.poll(async () => JSON.stringify((await sink.get('/health/ready')).body), { timeout: 60_000, interval: 250 }).toContain('it is full, and Kafka is the queue');
    expect(await sink.metric('millrace_sink_records_total', { result: 'row' })).toBeLessThan(60_000);
    await proxy.clear();
    expectEachOnce(await table.landed(150_000), 60_000);
    expect(sink.lines.filter(({ type }) => type === 'LaneStarted')).toHaveLength(table.partitions);
  }, 300_000);
});

describe('while the disk is full', () => {
  it('the sink waits, and goes on when there is room', async () => {
    const sink = await workingSink({ SINK_FLUSH_SECONDS: '2', SINK_FLUSH_BYTES: '1048576' });
    const limit = (bytes: string): void => void execFileSync('prlimit', ['--pid', String(sink.child.pid), `--fsize=${bytes}:unlimited`]);
    limit('4096');
    await table.produce(purchaseMessages(500, 3000));
    await expect.poll(async () => await sink.metric('millrace_sink_step_failures_total'), { timeout: 30_000, interval: 250 }).toBeGreaterThan(3);
    expect(sink.alive).toBe(true);
    limit('unlimited');
    expectEachOnce(await table.landed(), 3000);
  }, 240_000);
});

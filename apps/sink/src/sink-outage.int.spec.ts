import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FaultProxy, type Fault } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expectations/expect-each-once.ts';
import { expectLandedInOrder } from './testing/expectations/expect-landed-in-order.ts';
import { purchaseMessages } from './testing/purchases/purchase-message.ts';
import type { SinkProcess } from './testing/process/sink-process.ts';
import { testParts } from './testing/process/test-parts.ts';
import { TestTable } from './testing/process/test-table.ts';

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

const settings = {
  SINK_FLUSH_BYTES: '32768',
  SINK_S3_CONNECT_TIMEOUT_MS: '1000',
  SINK_S3_ATTEMPT_TIMEOUT_MS: '1000',
  SINK_S3_BREAKER_BREAK_DURATION_MS: '500',
  SINK_S3_BREAKER_BREAK_DURATION_MS_MAX: '1000',
};
const poll = { timeout: 60_000, interval: 200 };

/** A sink behind the proxy that has landed its first 500 events. */
async function workingSink(more: Readonly<Record<string, string>> = {}): Promise<SinkProcess> {
  await table.produce(purchaseMessages(0, 500));
  const sink = await table.sink({ ...settings, AWS_ENDPOINT_URL_S3: proxy.url, ...more });
  expectEachOnce(await table.landed(), 500);
  return sink;
}

async function taken(sink: SinkProcess, count: number): Promise<void> {
  await expect.poll(async () => await sink.metric('millrace_sink_records_total', { result: 'row' }), poll).toBe(count);
}

/** Waits until the sink has taken `count` events, and all but the first 500 wait encoded on disk. */
async function encoded(sink: SinkProcess, count: number): Promise<void> {
  await taken(sink, count);
  await expect.poll(async () => await sink.metric('millrace_sink_open_segments'), poll).toBe(0);
  const batches = await sink.metric('millrace_sink_spool_batches');
  expect(batches).toBeGreaterThan(0);
  await expect.poll(async () => await table.spooled(), poll).toHaveLength(batches);
}

function openFilesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

function startsOf(sink: SinkProcess): number {
  return sink.lines.filter(({ type }) => type === 'LaneStarted').length;
}

describe('the sink without S3', () => {
  const faults: readonly Fault[] = [
    { kind: 'refuse' },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 403, code: 'AccessDenied' },
    { kind: 'black-hole' },
    // Longer than the timeout of an attempt.
    { kind: 'slow', latencyMs: 1500 },
  ];

  it('the sink encodes and reports waiting batches while S3 is down, and lands all once and in order afterwards', async () => {
    const sink = await workingSink();
    let count = 500;
    for (const fault of faults) {
      await proxy.inject(fault);
      await table.produce(purchaseMessages(count, count + 1000));
      await encoded(sink, count + 1000);
      expect(await sink.metric('millrace_sink_spool_bytes')).toBeGreaterThan(0);
      expect(await sink.metric('millrace_sink_spool_oldest_age_seconds')).toBeGreaterThan(0);
      expect(await table.rows(), `rows while ${JSON.stringify(fault)}`).toHaveLength(count);
      const { status, body } = await sink.get('/health/ready');
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: 'degraded' });
      await proxy.clear();
      await table.produce(purchaseMessages(count + 1000, count + 1500));
      count += 1500;
      expectEachOnce(await table.landed(), count);
    }
    expectLandedInOrder(sink.lines);
    expect(startsOf(sink)).toBe(table.partitions);
    // Files of failed uploads are closed.
    await expect.poll(() => openFilesOf(sink.child.pid!).filter((path) => path.includes('.parquet')), poll).toEqual([]);
  }, 300_000);

  it('a full spool is forecast and reported, and pauses the partitions: Kafka is the queue', async () => {
    const sink = await workingSink({ SINK_SPOOL_BYTES_MAX: String(1024 * 1024) });
    await proxy.inject({ kind: 'status', status: 503 });
    const health = async (): Promise<string> => JSON.stringify((await sink.get('/health/ready')).body);
    let produced = 500;
    const filling = async (): Promise<string> => {
      await table.produce(purchaseMessages(produced, produced + 250));
      produced += 250;
      return await health();
    };
    await expect.poll(filling, poll).toMatch(/the oldest \d+ s old; full in \d+ s at this rate/);
    await expect
      .poll(async () => [await filling(), await sink.metric('millrace_sink_spool_full_in_seconds')].at(-1), poll)
      .toBeGreaterThan(0);
    await table.produce(purchaseMessages(produced, 60_000));
    await expect.poll(health, poll).toContain('it is full, and Kafka is the queue');
    expect(await sink.metric('millrace_sink_records_total', { result: 'row' })).toBeLessThan(60_000);
    // Batches that are encoded meanwhile free some room.
    await expect.poll(async () => await sink.metric('millrace_sink_spool_full_in_seconds'), poll).toBe(0);
    await proxy.clear();
    await table.produce(purchaseMessages(60_000, 61_000));
    expectEachOnce(await table.landed(), 61_000);
    expectLandedInOrder(sink.lines);
    expect(startsOf(sink)).toBe(table.partitions);
  });

  it('a sink killed while it drains leaves the rest to the next one, which reads corrupt batches again', async () => {
    const sink = await workingSink({ SINK_FLUSH_BYTES: '4096' });
    await proxy.inject({ kind: 'refuse' });
    // Little by little, for many small batches.
    for (let count = 500; count < 4500; count += 400) {
      await table.produce(purchaseMessages(count, count + 400));
      await taken(sink, count + 400);
    }
    await encoded(sink, 4500);
    await proxy.clear();
    // A few batches land before S3 fails again.
    let requests = 0;
    const gone = await proxy.inject({ kind: 'status', status: 503 }, { when: { where: () => (requests += 1) > 120 } });
    await gone.hit();
    await sink.end('SIGKILL');
    expect((await table.rows()).length).toBeGreaterThan(500);
    await proxy.clear();
    const rest = await table.spooled();
    await writeFile(join(rest.at(-1)!, '0.parquet'), 'not what was written');

    const next = await table.sink({ ...settings, AWS_ENDPOINT_URL_S3: proxy.url });
    expectEachOnce(await table.landed(), 4500);
    expect(next.lines.filter(({ type }) => type === 'SpoolAdopted').length).toBeGreaterThan(0);
    expect(next.lines.filter(({ type }) => type === 'SpoolCorrupt')).toHaveLength(1);
    expect(await table.setAside()).toHaveLength(1);
    // Only the lane of the corrupt batch had to go back to Kafka.
    expect(await next.metric('millrace_sink_records_total', { result: 'row' })).toBeLessThan(2000);
  });

  it('the sink sets aside batches that turn out corrupt or missing while it drains, and reads their range again', async () => {
    const sink = await workingSink();
    await proxy.inject({ kind: 'refuse' });
    await table.produce(purchaseMessages(500, 3000));
    await encoded(sink, 3000);
    const waiting = await table.spooled();
    const altered = waiting.find((folder) => folder.includes('/p0/'))!;
    const lost = waiting.find((folder) => folder.includes('/p1/'))!;
    await writeFile(join(altered, '0.parquet'), 'not what was written');
    for (const file of (await readdir(lost)).filter((name) => name.endsWith('.parquet'))) await rm(join(lost, file));
    await proxy.clear();
    expectEachOnce(await table.landed(), 3000);
    expect(await sink.metric('millrace_sink_spool_corrupt_total')).toBe(2);
    expect(await table.setAside()).toHaveLength(2);
    expect(sink.alive).toBe(true);
  });
});

describe('the sink with a full disk', () => {
  it('the sink waits while the disk is full, reports it, and continues when there is room', async () => {
    const sink = await workingSink({ SINK_FLUSH_SECONDS: '2', SINK_FLUSH_BYTES: '1048576' });
    const limit = (bytes: string): void => void execFileSync('prlimit', ['--pid', String(sink.child.pid), `--fsize=${bytes}:unlimited`]);
    limit('4096');
    await table.produce(purchaseMessages(500, 3000));
    await expect.poll(async () => await sink.metric('millrace_sink_step_failures_total'), poll).toBeGreaterThan(3);
    expect(sink.alive).toBe(true);
    await expect
      .poll(async () => JSON.stringify(await sink.get('/health/ready')), poll)
      .toContain('the disk of the spool accepts no writes from');
    limit('unlimited');
    expectEachOnce(await table.landed(), 3000);
    expect(startsOf(sink)).toBe(table.partitions);
  });
});

import { FaultProxy } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expectations/expect-each-once.ts';
import { PartitionWatch } from './testing/expectations/partition-watch.ts';
import { PurchaseStream } from './testing/purchases/purchase-stream.ts';
import type { SinkProcess } from './testing/process/sink-process.ts';
import { testParts } from './testing/process/test-parts.ts';
import { TestTable } from './testing/process/test-table.ts';

const all = [0, 1, 2, 3, 4, 5, 6, 7];
const poll = { timeout: 90_000, interval: 200 };

let table: TestTable;
let proxy: FaultProxy;
let sinks: SinkProcess[];
let purchases: PurchaseStream;
let watch: PartitionWatch;
beforeEach(async () => {
  table = await TestTable.open({ partitions: all.length });
  proxy = await FaultProxy.start({ protocol: 'http', target: testParts.awsUrl });
  sinks = [];
  purchases = new PurchaseStream(table);
  watch = new PartitionWatch(sinks);
});
afterEach(async () => {
  await Promise.all([purchases.stop(), watch.stop()]);
  await table.close();
  await proxy.close();
});

/** Starts a sink that reaches S3 through the proxy. */
async function join(): Promise<SinkProcess> {
  const sink = await table.sink({
    AWS_ENDPOINT_URL_S3: proxy.url,
    SINK_FLUSH_SECONDS: '3',
    SINK_S3_CONNECT_TIMEOUT_MS: '2000',
    SINK_S3_ATTEMPT_TIMEOUT_MS: '2000',
    SINK_S3_BREAKER_BREAK_DURATION_MS_MAX: '2000',
  });
  sinks.push(sink);
  return sink;
}

const startsOf = (sink: SinkProcess): number => sink.lines.filter(({ type }) => type === 'LaneStarted').length;

/** Waits until every partition makes progress. */
async function settled(): Promise<void> {
  const since = Date.now();
  await expect.poll(() => watch.movedSince(since), poll).toEqual(all);
}

describe('a group of sinks', () => {
  it('a group takes each event of each partition once while it grows, and shrinks by a stop and a kill', async () => {
    await join();
    await settled();
    for (const joining of [await join(), await join()]) await expect.poll(() => startsOf(joining), poll).toBeGreaterThan(0);
    await settled();
    await sinks[2]!.end('SIGTERM');
    await settled();
    await sinks[1]!.end('SIGKILL');
    await settled();
    const produced = await purchases.stop();
    expectEachOnce(await table.landed(), produced);
    console.info(`1 → 3 → 1 sinks: the longest that a partition stood still was ${watch.longestStallMs} ms`);
  }, 240_000);

  it('a group keeps its members while S3 is down beyond a session; a sink that starts meanwhile joins afterwards', async () => {
    const first = await join();
    await settled();
    await proxy.inject({ kind: 'black-hole' });
    await expect.poll(async () => await first.metric('millrace_sink_spool_oldest_age_seconds'), poll).toBeGreaterThan(8);
    await settled();
    expect(startsOf(first)).toBe(all.length);

    const second = await join();
    // Its lanes could not start: they need the heads of their ledgers. So it leaves the partitions to the others.
    await second.line(({ msg }) => msg.startsWith('The sink joins its group only after S3'));
    await settled();
    expect(startsOf(second)).toBe(0);
    await proxy.clear();
    await expect.poll(() => startsOf(second), poll).toBeGreaterThan(0);
    await settled();
    const produced = await purchases.stop();
    expectEachOnce(await table.landed(), produced);
    expect(startsOf(first)).toBe(all.length);
  }, 240_000);
});

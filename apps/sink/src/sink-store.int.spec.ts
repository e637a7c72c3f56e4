import { FaultProxy } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expectations/expect-each-once.ts';
import { purchaseMessages } from './testing/purchases/purchase-message.ts';
import type { SinkProcess } from './testing/process/sink-process.ts';
import { testParts } from './testing/process/test-parts.ts';
import { TestTable } from './testing/process/test-table.ts';

const poll = { timeout: 60_000, interval: 200 };
const settings = { SINK_S3_BREAKER_BREAK_DURATION_MS: '500', SINK_S3_BREAKER_BREAK_DURATION_MS_MAX: '1000' };

let table: TestTable;
let s3: FaultProxy;
beforeEach(async () => {
  table = await TestTable.open();
  s3 = await FaultProxy.start({ protocol: 'http', target: testParts.awsUrl });
  await table.produce(purchaseMessages(0, 500));
});
afterEach(async () => {
  await table?.close();
  await s3?.close();
});

const startSink = async (): Promise<SinkProcess> => await table.sink({ ...settings, AWS_ENDPOINT_URL_S3: s3.url });
const healthOf = async (sink: SinkProcess): Promise<{ status: number; text: string }> => {
  const { status, body } = await sink.get('/health/ready');
  return { status, text: JSON.stringify(body) };
};

describe('a starting sink', () => {
  it('a starting sink takes no record on a store that ignores If-None-Match, and names the store and the reason', async () => {
    await s3.inject({ kind: 'ignore-header', header: 'if-none-match' });
    const sink = await startSink();
    const reason = `the store at ${s3.url}/${table.bucket} ignores If-None-Match; exactly once cannot hold on it`;
    await sink.line(({ msg, level }) => level === 'error' && msg.includes(reason));
    await expect.poll(async () => (await healthOf(sink)).text, poll).toContain(`the consumer group is not joined: ${reason}`);
    expect((await healthOf(sink)).status).toBe(503);
    // The lag metric still counts waiting records.
    await expect.poll(async () => await sink.metric('millrace_sink_lag_records', { stage: 'taken' }), poll).toBe(500);
    expect(await sink.metric('millrace_sink_group_joined')).toBe(0);
    expect(await table.keys('_')).toEqual([]);
    expect(await table.keys('purchases/')).toEqual([]);
  });

  it('a starting sink waits while S3 is down, reports it, and continues by itself', async () => {
    await s3.inject({ kind: 'status', status: 503 });
    const sink = await startSink();
    await expect.poll(async () => (await healthOf(sink)).text, poll).toContain('the consumer group is not joined: ');
    await s3.clear();
    expectEachOnce(await table.landed(), 500);
    expect(await table.keys('_probes/')).toEqual([]);
  });
});

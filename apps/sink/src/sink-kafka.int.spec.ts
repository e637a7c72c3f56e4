import { FaultProxy, stackPart } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expect-each-once.ts';
import { purchaseMessage, purchaseMessages } from './testing/purchase-message.ts';
import { TestTable } from './testing/test-table.ts';

const { KAFKA_PROXIED_BROKERS: proxied = '127.0.0.1:9094', KAFKA_ADVERTISED_PORT: advertised = '9095' } = process.env;
const poll = { timeout: 60_000, interval: 200 };

let table: TestTable;
let proxy: FaultProxy;
beforeEach(async () => {
  table = await TestTable.open();
  proxy = await FaultProxy.start({ protocol: 'kafka', target: proxied, port: Number(advertised) });
});
afterEach(async () => {
  await table.close();
  await proxy.close();
});

describe('the sink and Kafka', () => {
  it('that goes away again and again, for a moment or until the circuit is open, are one again when it is back, and nothing is lost or doubled', async () => {
    await table.produce(purchaseMessages(0, 500));
    const sink = await table.sink({ KAFKA_BROKERS: proxy.address });
    expectEachOnce(await table.landed(), 500);
    const unready = async (): Promise<void> => await expect.poll(async () => (await sink.get('/health/ready')).status, poll).toBe(503);
    const circuitOpen = async (): Promise<void> => await expect.poll(async () => await sink.metric('millrace_pipeline_circuit_state', { pipeline: 'kafka', state: 'open' }), poll).toBe(1);
    let count = 500;
    for (const awayUntil of [unready, circuitOpen, unready]) {
      await proxy.inject({ kind: 'refuse' });
      await table.produce(purchaseMessages(count, count + 500));
      count += 500;
      await awayUntil();
      await proxy.clear();
      expectEachOnce(await table.landed(), count);
      await expect.poll(async () => (await sink.get('/health/ready')).body, poll).toMatchObject({ status: 'ready' });
    }
  }, 300_000);

  it('that is killed with -9 and started again go on by themselves', async () => {
    const kafka = stackPart('kafka');
    await table.produce(purchaseMessages(0, 500));
    const sink = await table.sink();
    expectEachOnce(await table.landed(), 500);
    await kafka.signal('SIGKILL');
    await expect.poll(async () => (await sink.get('/health/ready')).status, poll).toBe(503);
    await kafka.start();
    await table.produce(purchaseMessages(500, 1000));
    expectEachOnce(await table.landed(), 1000);
    await expect.poll(async () => (await sink.get('/health/ready')).body, poll).toMatchObject({ status: 'ready' });
  }, 240_000);

  it('agree that what is in the topic is a fact: a record lands whatever its deadline says', async () => {
    const headers = ['1000', 'soon'].map((deadline) => ({ 'x-millrace-deadline': deadline }));
    await table.produce(headers.map((given, n) => ({ ...purchaseMessage(n), headers: given })));
    await table.sink();
    expectEachOnce(await table.landed(), 2);
    expect(await table.keys('_rejects/')).toEqual([]);
  });
});

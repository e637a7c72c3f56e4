import { stackPart } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce } from './testing/expectations/expect-each-once.ts';
import { purchaseMessage, purchaseMessages } from './testing/purchases/purchase-message.ts';
import { TestTable } from './testing/process/test-table.ts';

const poll = { timeout: 60_000, interval: 200 };

let table: TestTable;
beforeEach(async () => {
  table = await TestTable.open();
});
afterEach(async () => await table.close());

describe('the sink', () => {
  it('the sink recovers by itself when Kafka is killed with -9 and started again', async () => {
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

  it('the sink ignores deadlines in the topic: a record lands whatever its deadline header says', async () => {
    const headers = ['1000', 'soon'].map((deadline) => ({ 'x-millrace-deadline': deadline }));
    await table.produce(headers.map((given, n) => ({ ...purchaseMessage(n), headers: given })));
    await table.sink();
    expectEachOnce(await table.landed(), 2);
    expect(await table.keys('_rejects/')).toEqual([]);
  });
});

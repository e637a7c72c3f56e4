import { waitUntil } from '@millrace/testing';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { postPurchase } from './http.ts';
import { makePurchases } from './purchases.ts';
import { kafka, lake, stack } from './stack.ts';

it('a garbage record written straight to the topic lands in a reject file with its offset, and its lane continues', async () => {
  const [first, second] = makePurchases(2).map((purchase) => ({
    ...purchase,
    userId: 'reader-of-garbage',
    purchaseTimestamp: 1_575_121_641,
  }));
  const before = await postPurchase(first);
  const partition = before.body.partition;
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const [written] = await producer.send({
    topic: stack.topic,
    messages: [{ partition, key: 'reader-of-garbage', value: '{"not": a purchase' }],
  });
  await producer.disconnect();
  const after = await postPurchase(second);
  expect([after.status, after.body.partition]).toEqual([202, partition]);

  const rejected = await waitUntil('the reject file', async () => {
    for (const { key } of await lake.objects(`_rejects/${stack.table}/${stack.topic}/p=${partition}/`)) {
      const lines = (await lake.read(key))
        .toString('utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { offset: number; partition: number; reason: string; value: string });
      const found = lines.find(({ offset }) => String(offset) === written!.baseOffset);
      if (found !== undefined) return found;
    }
    return undefined;
  });
  expect(rejected).toMatchObject({
    topic: stack.topic,
    partition,
    reason: expect.stringContaining('JSON') as string,
    value: Buffer.from('{"not": a purchase').toString('base64'),
  });

  await waitUntil('what came after the garbage to be in the table', async () => {
    const ids: unknown[] = [];
    for (const { key } of await lake.objects(`${stack.table}/dt=2019-11-30/p${partition}-`))
      ids.push(...(await lake.rows(key, ['event_id'])).map((row) => row['event_id']));
    return ids.includes(first!.eventId) && ids.includes(second!.eventId);
  });
});

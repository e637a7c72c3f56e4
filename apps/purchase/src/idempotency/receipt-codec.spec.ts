import { expect, it } from 'vitest';
import { decodeReceipt, encodeReceipt } from './receipt-codec.ts';

it('the receipt of one event is kept as JSON', async () => {
  const receipt = { eventId: 'e', durability: 'disk' };
  const bytes = await encodeReceipt(receipt);
  expect(bytes.toString()).toBe(JSON.stringify(receipt));
  expect(await decodeReceipt(bytes)).toEqual(receipt);
});

it('the answer to a batch is kept compressed', async () => {
  const answer = { items: Array.from({ length: 1000 }, (_, index) => ({ index, status: 202, durability: 'disk' })) };
  const bytes = await encodeReceipt(answer);
  expect(bytes.length).toBeLessThan(JSON.stringify(answer).length / 4);
  expect(await decodeReceipt(bytes)).toEqual(answer);
});

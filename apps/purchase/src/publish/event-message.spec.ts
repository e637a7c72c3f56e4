import { purchases, type PurchaseEvent } from '@millrace/contracts';
import { createRecordsBatch } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { seedPurchase } from '../testing/seed-purchase.ts';
import { messageMakerOf } from './event-message.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const messageOf = messageMakerOf(purchases);
const eventId = '0199f2a0-0000-7000-8000-000000000001';

function event(more: Record<string, unknown> = {}): PurchaseEvent {
  return { eventId, ...seedPurchase(more) } as PurchaseEvent;
}

describe('messageMakerOf', () => {
  it('the message has the buyer as key, the event as JSON in wire order, and CloudEvents headers in binary mode', () => {
    const message = messageOf(event(), traceparent);
    expect(message.key.toString()).toBe('test-user');
    expect(message.value.toString()).toBe(
      '{"eventId":"0199f2a0-0000-7000-8000-000000000001","bookId":"ec437d98-455d-4fec-8dbe-2c2630454bdd","title":"Orlando","author":"Virginia Woolf","genre":"Fiction","userId":"test-user","userCountry":"country","userAge":24,"purchaseTimestamp":1575121641}',
    );
    expect(Object.fromEntries([...message.headers].map(([name, text]) => [name.toString(), text.toString()]))).toEqual({
      ce_id: eventId,
      ce_type: 'com.millrace.bookstore.purchase.v1',
      ce_source: '/millrace/purchase',
      ce_specversion: '1.0',
      ce_time: '2019-11-30T13:47:21.000Z',
      'content-type': 'application/json',
      traceparent,
    });
  });

  it("the message carries its caller's deadline when there is one", () => {
    const [plain, carried] = [undefined, 1_764_000_000_000].map((deadline) =>
      [...messageOf(event(), traceparent, deadline).headers].map(([name, text]) => `${name.toString()}: ${text.toString()}`),
    );
    expect(carried).toEqual([...plain!, 'x-millrace-deadline: 1764000000000']);
  });

  it('a message takes no more bytes of a record batch than it states', () => {
    const texts = { title: '📚'.repeat(1024), author: '\u0001'.repeat(1024), userId: 'é'.repeat(128) };
    const messages = [event(), event(texts), event({ title: 'x' })].map((one) => messageOf(one, traceparent, 1_764_000_000_000));
    const batch = createRecordsBatch(
      messages.map(({ key, value, headers }) => ({ key, value, headers: new Map(headers), topic: 't', timestamp: 1n })),
      {},
    );
    const said = messages.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(batch.length).toBeLessThanOrEqual(said);
    expect(batch.length).toBeGreaterThan(said * 0.9);
  });
});

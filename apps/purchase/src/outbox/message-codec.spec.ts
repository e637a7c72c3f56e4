import { purchases, type PurchaseEvent } from '@millrace/contracts';
import { bookViews } from '@millrace/contracts/testing';
import { describe, expect, it } from 'vitest';
import { messageMakerOf } from '../publish/event-message.ts';
import { seedPurchase } from '../testing/seed-purchase.ts';
import { entryOfMessage, messageCodecOf } from './message-codec.ts';

const messageCodec = messageCodecOf([purchases, bookViews]);
const messageOf = messageMakerOf(purchases);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('messageCodec', () => {
  it.each([undefined, 1_764_000_000_000])(
    'a message with the deadline %s is read back unchanged, with its headers in order',
    (deadline) => {
      const event = { eventId: '0199f2a0-0000-7000-8000-000000000001', ...seedPurchase({ title: '📚', userId: 'é' }) } as PurchaseEvent;
      const entry = entryOfMessage(messageOf(event, traceparent, deadline));
      const read = messageCodec.decode(messageCodec.encode(entry));
      expect(read).toEqual(entry);
      expect([...read.item.headers].map(String)).toEqual([...entry.item.headers].map(String));
    },
  );

  it('a message of another version is not read', () => {
    expect(() => messageCodec.decode(Buffer.from([2, 0, 0]))).toThrow('version of an entry in the outbox is 2');
  });

  it('a message is read back in its stream, with its key', () => {
    const event = { eventId: '0199f2a0-0000-7000-8000-000000000001', bookId: 'b', userId: 'ann', viewedAt: 1_575_121_641 };
    const entry = entryOfMessage(messageMakerOf(bookViews)(event, traceparent));
    expect(entry.key).toBe(`book-views/${entry.item.partition}`);
    expect(messageCodec.decode(messageCodec.encode(entry))).toEqual(entry);
  });

  it('a message of a stream that is not declared is not read', () => {
    const event = { eventId: '0199f2a0-0000-7000-8000-000000000001', bookId: 'b', userId: 'ann', viewedAt: 1_575_121_641 };
    const encoded = messageCodec.encode(entryOfMessage(messageMakerOf(bookViews)(event, traceparent)));
    expect(() => messageCodecOf([purchases]).decode(encoded)).toThrow('com.millrace.bookstore.book-view.v1');
  });
});

import type { Static } from 'typebox';
import { defineStream } from './define-stream.ts';
import { epochSeconds, integer, text, uuid } from './fields.ts';

/** The purchases of the bookstore. */
export const purchases = defineStream({
  name: 'purchases',
  title: 'Purchase',
  description: 'One book sold to one user.',
  // In the order of the wire format.
  fields: {
    eventId: uuid({ fieldId: 1, description: 'Identity of the event, a UUID' }),
    bookId: uuid({ fieldId: 2, description: 'The book sold, a UUID' }),
    title: text({ fieldId: 3, charactersMax: 1024, description: 'Title of the book' }),
    author: text({ fieldId: 4, charactersMax: 1024, description: 'Author of the book' }),
    genre: text({ fieldId: 5, charactersMax: 128, description: 'Genre of the book' }),
    userId: text({ fieldId: 6, charactersMax: 128, description: 'The buyer, opaque; the key of the topic' }),
    userCountry: text({ fieldId: 7, charactersMax: 64, description: 'Country of the buyer, ISO 3166-1 alpha-2 recommended' }),
    userAge: integer({ fieldId: 8, minimum: 0, maximum: 150, description: 'Age of the buyer in years' }),
    purchaseTimestamp: epochSeconds({ fieldId: 9, description: 'Time of the purchase in seconds since 1970-01-01T00:00:00Z' }),
  },
  eventType: 'com.millrace.bookstore.purchase.v1',
  topic: { name: 'bookstore.purchases.v1', partitions: 8 },
  keyField: 'userId',
  deliveryStream: 'books-purchase-stream',
  database: 'bookstore',
  table: 'purchases',
  timeField: 'purchaseTimestamp',
  sortFields: ['userId', 'purchaseTimestamp'],
  contract: 'bookstore.purchases.v1/1',
});

/** A purchase in the topic. */
export type PurchaseEvent = Static<typeof purchases.eventSchema>;

/** A purchase as a client posts it. */
export type PurchaseRequest = Omit<PurchaseEvent, 'eventId'> & Partial<Pick<PurchaseEvent, 'eventId'>>;

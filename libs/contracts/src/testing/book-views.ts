import { Type } from 'typebox';
import { defineStream } from '../streams/define-stream.ts';
import { epochSeconds, text, uuid } from '../streams/fields.ts';

const fields = {
  eventId: uuid({ fieldId: 1, description: 'Identity of the event, a UUID' }),
  bookId: uuid({ fieldId: 2, description: 'The book, a UUID' }),
  userId: text({ fieldId: 3, charactersMax: 128, description: 'The reader, opaque' }),
  viewedAt: epochSeconds({ fieldId: 4, description: 'Time of the view in seconds since 1970-01-01T00:00:00Z' }),
  referrer: Type.Optional(text({ fieldId: 5, charactersMax: 1024, description: 'Page that led to the book' })),
};

const declaration = {
  name: 'book-views',
  title: 'BookView',
  description: 'One view of the page of a book by one user.',
  eventType: 'com.millrace.bookstore.book-view.v1',
  topic: { name: 'bookstore.book-views.v1', partitions: 3 },
  keyField: 'userId',
  database: 'bookstore',
  table: 'book_views',
  timeField: 'viewedAt',
  sortFields: ['bookId', 'viewedAt'],
  buffering: { flushSeconds: 1 },
} as const;

/** A second stream, which exists in tests only: its declaration is all that the services need. */
export const bookViews = defineStream({ ...declaration, fields, contract: 'bookstore.book-views.v1/1' });

const shelf = Type.Optional(text({ fieldId: 6, charactersMax: 64, description: 'Shelf of the shop where the book was seen' }));

/** The next version of {@link bookViews}: it has one more field. */
export const bookViewsWithShelf = defineStream({ ...declaration, fields: { ...fields, shelf }, contract: 'bookstore.book-views.v1/2' });

/** The version that a service under test serves: with a shelf if the variable `BOOK_VIEWS` is `with-shelf`. */
export const servedBookViews = process.env['BOOK_VIEWS'] === 'with-shelf' ? bookViewsWithShelf : bookViews;

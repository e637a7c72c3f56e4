import { Type, type Static } from 'typebox';

const uuidPattern = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

/**
 * Free text without NUL and unpaired surrogates. JSON can spell them, but neither UTF-8 nor Parquet can carry them. The API refuses them,
 * so that the sink never rejects an acknowledged event for them.
 */
const textPattern = '^[^\\u0000\\p{Cs}]*$';

/**
 * The fields of a purchase, in the order of the wire format. This is the one definition: validation, the TypeScript type,
 * JSON Schema and the table's columns derive from it.
 *
 * `x-field-id` is the column's Parquet field id. It never changes and never belongs to another column, so that a table format can be
 * projected from the files later. `x-column-type` names the column type if the JSON type is not enough. `x-lower-case` marks values that
 * are stored in lower case. No limit depends on a clock: a replay accepts the same events as the first day.
 */
export const purchaseFields = {
  eventId: Type.String({ pattern: uuidPattern, description: 'Identity of the event, a UUID', 'x-field-id': 1, 'x-lower-case': true }),
  bookId: Type.String({ pattern: uuidPattern, description: 'The book sold, a UUID', 'x-field-id': 2, 'x-lower-case': true }),
  title: Type.String({ minLength: 1, maxLength: 1024, pattern: textPattern, description: 'Title of the book', 'x-field-id': 3 }),
  author: Type.String({ minLength: 1, maxLength: 1024, pattern: textPattern, description: 'Author of the book', 'x-field-id': 4 }),
  genre: Type.String({ minLength: 1, maxLength: 128, pattern: textPattern, description: 'Genre of the book', 'x-field-id': 5 }),
  userId: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: textPattern,
    description: 'The buyer, opaque; the key of the topic',
    'x-field-id': 6,
  }),
  userCountry: Type.String({
    minLength: 1,
    maxLength: 64,
    pattern: textPattern,
    description: 'Country of the buyer, ISO 3166-1 alpha-2 recommended',
    'x-field-id': 7,
  }),
  userAge: Type.Integer({ minimum: 0, maximum: 150, description: 'Age of the buyer in years', 'x-field-id': 8 }),
  purchaseTimestamp: Type.Integer({
    minimum: 0,
    maximum: 4_102_444_799,
    description: 'Time of the purchase in seconds since 1970-01-01T00:00:00Z',
    'x-field-id': 9,
    'x-column-type': 'timestamp',
  }),
};

/** A purchase in the topic. Unknown fields are ignored: a newer producer may send them. */
export const purchaseEventSchema = Type.Object(purchaseFields, {
  $id: 'urn:millrace:schema:purchase-event:v1',
  title: 'PurchaseEvent',
  description: 'One book sold to one user.',
});

/** A purchase as a client posts it: `eventId` may be left to the service, and an unknown field is an error. */
export const purchaseRequestSchema = Type.Object(
  { ...purchaseFields, eventId: Type.Optional(purchaseFields.eventId) },
  { $id: 'urn:millrace:schema:purchase-request:v1', title: 'PurchaseRequest', additionalProperties: false },
);

/** A purchase in the topic. */
export type PurchaseEvent = Static<typeof purchaseEventSchema>;

/** A purchase as posted. */
export type PurchaseRequest = Static<typeof purchaseRequestSchema>;

/**
 * The event that a valid request becomes: fields in wire order, UUIDs in lower case.
 *
 * @param request a request that passed {@link purchaseRequestSchema}
 * @param newEventId makes the id (UUIDv7) when the caller gave none
 */
export function purchaseEventOf(request: PurchaseRequest, newEventId: () => string): PurchaseEvent {
  return {
    eventId: (request.eventId ?? newEventId()).toLowerCase(),
    bookId: request.bookId.toLowerCase(),
    title: request.title,
    author: request.author,
    genre: request.genre,
    userId: request.userId,
    userCountry: request.userCountry,
    userAge: request.userAge,
    purchaseTimestamp: request.purchaseTimestamp,
  };
}

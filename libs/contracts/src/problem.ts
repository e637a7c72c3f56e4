import { Type } from 'typebox';
import type { Plain } from './plain.ts';
import { violationSchema } from './violation.ts';

/** Every kind of problem an HTTP surface answers with, its status and its title. */
export const problemTypes = {
  'invalid-json': { status: 400, title: 'The body is not valid JSON' },
  validation: { status: 400, title: 'The request breaks the contract' },
  'statement-invalid': { status: 400, title: 'The statement is not valid' },
  'statement-not-allowed': { status: 400, title: 'The statement is not allowed' },
  unauthenticated: { status: 401, title: 'Credentials are missing or not valid' },
  forbidden: { status: 403, title: 'The credentials do not allow this' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'not-acceptable': { status: 406, title: 'None of the accepted media types can be given' },
  'request-timeout': { status: 408, title: 'The request was not complete in time' },
  'not-finished': { status: 409, title: 'The query has not finished' },
  'no-results': { status: 409, title: 'The query has no results' },
  gone: { status: 410, title: 'The resource is no longer kept' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'event-too-large': { status: 413, title: 'The event is too large for the topic' },
  'unsupported-media-type': { status: 415, title: 'The content type or coding is not supported' },
  'scan-limit-exceeded': { status: 422, title: 'The statement would scan more than its limit' },
  'result-too-large': { status: 422, title: 'The result is larger than the limit' },
  'idempotency-conflict': { status: 422, title: 'The idempotency key belongs to another event' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The header fields are too large' },
  'client-closed': { status: 499, title: 'The client went away' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'engine-failed': { status: 502, title: 'The query engine failed' },
  unavailable: { status: 503, title: 'A dependency is not available' },
  overloaded: { status: 503, title: 'The service is overloaded' },
  'not-covered': { status: 504, title: 'The table does not hold the awaited event yet' },
  'deadline-exceeded': { status: 504, title: 'The deadline has passed' },
} as const satisfies Record<string, { status: number; title: string }>;

/** Name of a kind of problem. */
export type ProblemName = keyof typeof problemTypes;

/** Schema of {@link Problem}. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ pattern: '^urn:millrace:problem:[a-z-]+$', description: 'Identifier of the kind of problem, for programs' }),
    title: Type.String({ description: 'Name of the kind of problem, for people' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'HTTP status' }),
    detail: Type.Optional(Type.String({ description: 'Fact and remedy of this occurrence' })),
    instance: Type.Optional(Type.String({ description: 'Path of the request' })),
    errors: Type.Optional(Type.Array(violationSchema, { description: 'One entry for each wrong field' })),
    retryAfterSeconds: Type.Optional(Type.Number({ minimum: 0, description: 'Seconds after which a retry makes sense' })),
    eventId: Type.Optional(Type.String({ description: 'Identity of the event. Send it again under this id: it is then the same event' })),
  },
  { title: 'Problem', description: 'A problem document (RFC 9457).' },
);

/** An RFC 9457 problem document. */
export type Problem = Plain<typeof problemSchema>;

/** Media type of a problem document. */
export const problemMediaType = 'application/problem+json';

/** Makes a problem document. */
export function problemOf(name: ProblemName, extra: Omit<Partial<Problem>, 'type' | 'title' | 'status'> = {}): Problem {
  const { status, title } = problemTypes[name];
  return { type: `urn:millrace:problem:${name}`, title, status, ...extra };
}

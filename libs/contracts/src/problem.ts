import type { Violation } from './validator.ts';

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
  gone: { status: 410, title: 'This is no longer kept' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'event-too-large': { status: 413, title: 'The event is too large for the topic' },
  'unsupported-media-type': { status: 415, title: 'The content type or coding is not supported' },
  'result-too-large': { status: 422, title: 'The result is larger than the limit' },
  'idempotency-conflict': { status: 422, title: 'The idempotency key belongs to another event' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The header fields are too large' },
  'client-closed': { status: 499, title: 'The client went away' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'engine-failed': { status: 502, title: 'The query engine failed' },
  unavailable: { status: 503, title: 'A dependency is not available' },
  overloaded: { status: 503, title: 'The service is overloaded' },
  'deadline-exceeded': { status: 504, title: 'The deadline has passed' },
} as const satisfies Record<string, { status: number; title: string }>;

/** Name of a kind of problem. */
export type ProblemName = keyof typeof problemTypes;

/** An RFC 9457 problem document. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened this time, and what to do next. */
  readonly detail?: string;
  /** The request path. */
  readonly instance?: string;
  /** One entry per field that is wrong. */
  readonly errors?: readonly Violation[];
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number;
  /** Identity of the event in question: sent again under it, it is the same event. */
  readonly eventId?: string;
}

/** Media type of a problem document. */
export const problemMediaType = 'application/problem+json';

/** Makes a problem document. */
export function problemOf(name: ProblemName, extra: Omit<Partial<Problem>, 'type' | 'title' | 'status'> = {}): Problem {
  const { status, title } = problemTypes[name];
  return { type: `urn:millrace:problem:${name}`, title, status, ...extra };
}

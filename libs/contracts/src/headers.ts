/** Names of the Kafka headers: CloudEvents 1.0 in binary mode, and W3C trace context. */
export const headerNames = {
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  specVersion: 'ce_specversion',
  time: 'ce_time',
  contentType: 'content-type',
  traceparent: 'traceparent',
  /** Milliseconds since the epoch after which the client no longer waits. Each service that works for the client reads it. */
  deadline: 'x-millrace-deadline',
} as const;

/** Value of `ce_specversion`. */
export const cloudEventsVersion = '1.0';

/** Header of a request that names its work, so that a repetition is the same work (draft-ietf-httpapi-idempotency-key-header). */
export const idempotencyKey = {
  name: 'Idempotency-Key',
  /** Longest key, in characters. */
  lengthMax: 255,
  /** Pattern of a key: visible ASCII characters. */
  pattern: '^[\\x21-\\x7e]{1,255}$',
} as const;

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

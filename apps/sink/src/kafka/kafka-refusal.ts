// Kafka's words for a refusal: https://kafka.apache.org/protocol#protocol_error_codes
const refusingTypes: ReadonlySet<unknown> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

// kafkajs wraps an error of the broker at most this often.
const depthMax = 4;

/** The remedy for a Kafka that refuses. */
export const kafkaRemedy = 'check the credentials for the brokers, and the ACLs of the topic and the group';

/** Whether the broker answered and refused this client: waiting does not mend it. */
export function isKafkaRefusal(error: unknown): boolean {
  for (let next: unknown = error, depth = 0; next instanceof Error && depth < depthMax; depth += 1) {
    if (next.name === 'KafkaJSSASLAuthenticationError' || ('type' in next && refusingTypes.has(next.type))) return true;
    next = next.cause;
  }
  return false;
}

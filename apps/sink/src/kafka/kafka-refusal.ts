// Kafka's error types for a refusal: https://kafka.apache.org/protocol#protocol_error_codes
const refusingTypes: ReadonlySet<unknown> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

// kafkajs nests an error of the broker at most this deep.
const depthMax = 4;

/** The remedy for a refusal by Kafka. */
export const kafkaRemedy = 'check the credentials for the brokers, and the ACLs of the topic and the group';

/** Whether the broker answered and refused this client. Such an error does not pass by waiting. */
export function isKafkaRefusal(error: unknown): boolean {
  for (let next: unknown = error, depth = 0; next instanceof Error && depth < depthMax; depth += 1) {
    if (next.name === 'KafkaJSSASLAuthenticationError' || ('type' in next && refusingTypes.has(next.type))) return true;
    next = next.cause;
  }
  return false;
}

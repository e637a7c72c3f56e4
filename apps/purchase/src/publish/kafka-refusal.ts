// Codes of @platformatic/kafka and of the protocol: https://kafka.apache.org/protocol#protocol_error_codes
const refusingCodes: ReadonlySet<unknown> = new Set([
  'PLT_KFK_AUTHENTICATION',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
]);

// The client wraps an error, and gathers several, at most this deep.
const depthMax = 5;

/** Whether the broker answered and refused this client: waiting does not mend it. */
export function isKafkaRefusal(error: unknown): boolean {
  return hasCode(error, (code) => refusingCodes.has(code));
}

/** Whether the broker answered a request for metadata that the topic does not exist. The client makes an error of the user out of it. */
export function isMissingTopic(error: unknown): boolean {
  return hasCode(error, (code) => code === 'UNKNOWN_TOPIC_OR_PARTITION' || code === 'PLT_KFK_USER');
}

function hasCode(error: unknown, isSought: (code: unknown) => boolean, depth = 0): boolean {
  if (!(error instanceof Error) || depth > depthMax) return false;
  const { code, apiId } = error as { code?: unknown; apiId?: unknown };
  if (isSought(code) || isSought(apiId)) return true;
  const inner = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return [error.cause, ...inner].some((one) => hasCode(one, isSought, depth + 1));
}

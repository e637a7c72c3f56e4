// Maximum depth to which the client nests causes and aggregated errors.
const depthMax = 5;

/**
 * Whether the broker answered that the topic does not exist. Code of the protocol: https://kafka.apache.org/protocol#protocol_error_codes
 */
export function isMissingTopic(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > depthMax) return false;
  const { code, apiId } = error as { code?: unknown; apiId?: unknown };
  // A request for metadata fails with the client's user error, which has no other cause in such a request.
  if ([code, apiId].includes('UNKNOWN_TOPIC_OR_PARTITION') || code === 'PLT_KFK_USER') return true;
  const inner = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return [error.cause, ...inner].some((one) => isMissingTopic(one, depth + 1));
}

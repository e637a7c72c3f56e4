// The client wraps an error, and gathers several, at most this deep.
const depthMax = 5;

/** Whether the broker answered that the topic does not exist. Code of the protocol: https://kafka.apache.org/protocol#protocol_error_codes */
export function isMissingTopic(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > depthMax) return false;
  const { code, apiId } = error as { code?: unknown; apiId?: unknown };
  if ([code, apiId].includes('UNKNOWN_TOPIC_OR_PARTITION')) return true;
  const inner = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return [error.cause, ...inner].some((one) => isMissingTopic(one, depth + 1));
}

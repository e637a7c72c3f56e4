import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Limits of a client's connections to AWS. */
export interface ConnectionSettings {
  /** Time to open a connection, in milliseconds. Default 2000. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Time without a byte after which a request fails, in milliseconds; 0 is never. Default 30000. It is for callers without a pipeline.
   * Inside a pipeline set 0: a shorter client timeout would silently override the pipeline's.
   */
  readonly idleTimeoutMs?: number;
  /** Maximum number of open connections, ≥ 1. Default 50. */
  readonly socketsMax?: number;
}

/**
 * Makes the request handler of an AWS client. A request whose signal aborts ends at once, while it waits for a connection or for an answer.
 */
export function awsConnections({
  connectTimeoutMs = 2000,
  idleTimeoutMs = 30_000,
  socketsMax = 50,
}: ConnectionSettings = {}): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: socketsMax };
  return new NodeHttpHandler({ connectionTimeout: connectTimeoutMs, socketTimeout: idleTimeoutMs, httpAgent: agent, httpsAgent: agent });
}

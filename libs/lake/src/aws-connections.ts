import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Limits of a client's connections to AWS. */
export interface ConnectionSettings {
  /** Time to open a connection, in milliseconds. Default 2000. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Time without a byte after which a request is given up, in milliseconds; 0 is never. Default 30000. It is for callers without a pipeline: where each call has a signal that
   * ends it, as those of pipelines have, a limit of the client's own would only make the pipeline's larger settings idle.
   */
  readonly idleTimeoutMs?: number;
  /** Most connections open at once. Default 50. */
  readonly socketsMax?: number;
}

/** What an AWS client sends its requests with. A request whose signal aborts is torn off, whatever it waits for: a connection, an answer, or the rest of one. */
export function awsConnections({ connectTimeoutMs = 2000, idleTimeoutMs = 30_000, socketsMax = 50 }: ConnectionSettings = {}): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: socketsMax };
  return new NodeHttpHandler({ connectionTimeout: connectTimeoutMs, socketTimeout: idleTimeoutMs, httpAgent: agent, httpsAgent: agent });
}

import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../errors.ts';

/** `host[:port]` of RFC 3986 without user info; empty where the target has no authority. */
const hostPattern = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/;

/**
 * Refuses a request without exactly one valid Host header (RFC 9112, section 3.2). HTTP/1.0 needs none. Node checks only that there is one,
 * and its refusal has no body, so its own check is off.
 */
export function requireHost(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const message = hostFault(request.raw.rawHeaders, request.raw.httpVersion);
    if (message === undefined) done();
    else
      done(
        new ProblemError('validation', {
          detail: `The header Host ${message}.`,
          errors: [{ field: 'Host', message }],
          headers: { connection: 'close' },
        }),
      );
  });
}

/**
 * Names the fault of the Host header. Undefined when it has none.
 * @param rawHeaders names and values in turn, as they came: Node drops the second of two Host headers elsewhere
 */
export function hostFault(rawHeaders: readonly string[], httpVersion: string): string | undefined {
  let count = 0;
  let value: string | undefined;
  // It runs for each request, so it builds no array and lower-cases no other name.
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    count += 1;
    value = rawHeaders[at + 1]!;
  }
  if (count > 1) return `must come once, not ${count} times`;
  if (value === undefined) return httpVersion === '1.0' ? undefined : `is required in HTTP/${httpVersion}`;
  return hostPattern.test(value) ? undefined : 'must be a host name or address with an optional port';
}

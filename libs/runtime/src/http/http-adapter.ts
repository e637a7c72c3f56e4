import { type Problem, problemMediaType, problemOf } from '@millrace/contracts';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { pathOf, sendProblem } from './problem-filter.ts';
import { type ProblemLimits, problemOfError } from './problem-of-error.ts';

/** Largest number of connections one listener keeps open. More are closed at once by Node. */
const connectionsMax = 4096;
/** A request that is not all here after this long is a client that hangs, or means to. */
const requestMsMax = 30_000;

/**
 * Fastify under Nest, with the errors that happen below routing (a malformed URL, a malformed request) as problem documents
 * too, and JSON as the only kind of body until the app registers another parser.
 */
export function httpAdapter(limits: ProblemLimits): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: requestMsMax,
    // Refused by our own hook while the service drains, as a problem document.
    return503OnClosing: false,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      void sendProblem(reply, problemOfError(error, pathOf(request.url), limits));
    },
    clientErrorHandler: answerClientError,
  });
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  fastify.server.maxConnections = connectionsMax;
  return adapter;
}

/** There is no request yet, only a socket whose bytes are not HTTP, or whose head or body did not come in time. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem: Problem = problemOf('validation', { detail: clientErrorDetail(error.code) });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} Bad Request\r\ncontent-type: ${problemMediaType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function clientErrorDetail(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return 'The header fields are too long together.';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return `The request was not complete after ${requestMsMax / 1000} s.`;
  return 'These bytes are not an HTTP/1.1 request.';
}

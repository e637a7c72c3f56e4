import { type Problem, problemMediaType, problemOf } from '@millrace/contracts';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { OpenRequest, RequestTally } from './request-tally.ts';
import { securityHeaders } from './secure-answers.ts';

/** Reason phrases of the statuses that are written here. */
const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

/** Limits that the text of a problem names. */
export interface ClientErrorLimits {
  /** Time in which a request must be complete, in milliseconds. */
  readonly requestMsMax: number;
}

/**
 * Answers bytes that are not a request, or a request that is late, with a problem document. The fault is counted once: for the request it
 * belongs to, or as one that never became a request. Complete requests before the fault are answered first, in their order.
 */
export function clientErrorAnswerer(
  requests: RequestTally,
  limits: ClientErrorLimits,
): (fault: Error & { code?: string }, socket: Socket) => void {
  const seen = new WeakSet<Socket>();
  return (fault, socket) => {
    if (seen.has(socket)) return;
    seen.add(socket);
    const { open, last } = requests.ofConnection(socket);
    const broken = last?.request.complete === false ? last : undefined;
    if (isGone(fault)) {
      // The client closed the connection within the head of a request. Requests that began before report their end themselves.
      if (broken === undefined && fault.code === 'HPE_INVALID_EOF_STATE') requests.tellUnread(499);
      socket.destroy();
      return;
    }
    const problem = problemOfClientError(fault, limits);
    if (broken !== undefined) requests.settle(broken.request, problem.status);
    // A connection without a single byte carried no request: browsers open such connections in advance.
    else if (socket.bytesRead > 0) requests.tellUnread(problem.status);
    const earlier = open.filter((one) => one !== broken);
    void Promise.all(earlier.map(async ({ ended }) => await ended)).then(() => end(socket, broken, problem));
  };
}

/** Refuses `CONNECT`: without a listener Node closes the connection and says nothing. */
export function refuseConnect(server: Server, requests: RequestTally): void {
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    requests.tellUnread(405, 'CONNECT');
    write(socket, problemOf('method-not-allowed', { detail: 'This is not a proxy: CONNECT is not supported.' }));
  });
}

function end(socket: Socket, broken: OpenRequest | undefined, problem: Problem): void {
  const answered = broken !== undefined && (broken.response.headersSent || broken.response.writableEnded);
  if (answered || socket.destroyed || !socket.writable || socket.bytesRead === 0) socket.destroy();
  else write(socket, problem);
}

function write(socket: Duplex, problem: Problem): void {
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${reasons[problem.status] ?? 'Error'}`,
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(problem.status === 405 ? ['allow: GET, HEAD, POST, DELETE, PATCH'] : []),
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** A connection that failed, or that the client ended in the middle of a message. */
function isGone({ code = '' }: { code?: string }): boolean {
  return code === 'HPE_INVALID_EOF_STATE' || !(code.startsWith('HPE_') || code.startsWith('ERR_HTTP_'));
}

function problemOfClientError({ code }: { code?: string }, { requestMsMax }: ClientErrorLimits): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problemOf('request-timeout', { detail: `The request was not complete after ${requestMsMax / 1000} s.` });
    case 'HPE_HEADER_OVERFLOW':
      return problemOf('headers-too-large', { detail: 'The header fields are too long together.' });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problemOf('body-too-large', { detail: 'The extensions of a chunk are too long.' });
    default:
      return problemOf('validation', { detail: 'These bytes are not an HTTP/1.1 request.' });
  }
}

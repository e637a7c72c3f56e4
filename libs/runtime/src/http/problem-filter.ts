import { problemMediaType } from '@millrace/contracts';
import { type ArgumentsHost, Catch, type ExceptionFilter, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { ProblemError } from '../errors.ts';
import { type ProblemAnswer, problemOfError } from './problem-of-error.ts';
import type { RequestTally } from './request-tally.ts';
import type { RouteTable } from './route-table.ts';
import { securityHeaders } from './secure-answers.ts';

/** Converts every error into an answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly routes: RouteTable,
    private readonly requests: RequestTally,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (request.raw.socket.destroyed) {
      // No client reads the answer. The request is counted and logged as one whose client disconnected.
      this.logger.debug(
        { err: error, method: request.method, path: pathOf(request.url), requestId: request.id },
        'A request failed after its client had disconnected.',
      );
      reply.hijack();
      return;
    }
    const answer = problemOfError(this.refine(error, request), pathOf(request.url), { bodyBytesMax: request.routeOptions.bodyLimit });
    this.log(error, answer, request);
    if (reply.sent || reply.raw.headersSent) {
      // The head is sent: cut the connection, so that the client detects the incomplete answer.
      this.requests.settle(request.raw, answer.problem.status);
      reply.raw.destroy();
    } else void sendProblem(reply, answer);
  }

  /** Nest's router also answers 404 for a known path with another method. */
  private refine(error: unknown, request: FastifyRequest): unknown {
    if (!(error instanceof NotFoundException) || !request.is404) return error;
    const path = pathOf(request.url);
    const methods = this.routes.methodsOf(path);
    if (methods.length === 0) return new ProblemError('not-found', { detail: `There is no ${path} here.` });
    const allow = methods.join(', ');
    return new ProblemError('method-not-allowed', { detail: `${path} takes ${allow}, not ${request.method}.`, headers: { allow } });
  }

  private log(error: unknown, { problem }: ProblemAnswer, request: FastifyRequest): void {
    if (problem.status < 500) return;
    const fields = { err: error, method: request.method, path: pathOf(request.url), status: problem.status, requestId: request.id };
    if (problem.status === 500) this.logger.error(fields, 'A request failed with an unexpected error.');
    else this.logger.warn(fields, 'A request could not be served.');
  }
}

/** Answers a problem document. */
export function sendProblem(reply: FastifyReply, { problem, headers }: ProblemAnswer): FastifyReply {
  // Bytes, because Fastify adds a charset to the media type of text, and this one has none.
  return (
    reply
      .code(problem.status)
      // A fault below routing passes no hook.
      .headers(securityHeaders)
      .headers(headers)
      .header('content-type', problemMediaType)
      .send(Buffer.from(JSON.stringify(problem)))
  );
}

/** The path without the query, which may hold secrets. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

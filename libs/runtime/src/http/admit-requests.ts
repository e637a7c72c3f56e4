import { headerNames } from '@millrace/contracts';
import type { Pipeline } from '@millrace/resilience';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../errors.ts';
import { priorityOf } from './request-priority.ts';
import { deadlineOf } from './work-of-request.ts';

/** Paths an operator needs most when the service is overloaded. */
const operatorPaths = /^\/(health\/|metrics$|hystrix\.stream$|admin\/)/;

/**
 * Sends every request through a pipeline before its body is read. The pipeline sheds requests by priority and refuses them after their
 * deadline. Its bulkhead, if it has one, limits their number. A request is in flight until its connection has taken the answer.
 */
export function admitRequests(fastify: FastifyInstance, pipeline: Pipeline): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (operatorPaths.test(request.routeOptions.url ?? '')) {
      done();
      return;
    }
    let admitted = false;
    const answered = async (): Promise<void> => {
      const closed = new Promise<void>((resolve) => {
        if (reply.raw.closed) resolve();
        else reply.raw.once('close', resolve);
      });
      admitted = true;
      done();
      await closed;
    };
    const admit = async (): Promise<void> => {
      try {
        await pipeline.execute(answered, { deadline: deadlineOf(request.headers[headerNames.deadline]), priority: priorityOf(request), idempotent: false });
        // An injected outcome or a fallback stood in for the request: its route was not asked and has no answer.
        if (!admitted) done(new ProblemError('unavailable', { detail: `${pipeline.name} did not let the request in.`, retryAfterSeconds: 1 }));
      } catch (error) {
        // The route answers an admitted request. A later error of the pipeline is only counted.
        if (!admitted) done(error as Error);
      }
    };
    void admit();
  });
}

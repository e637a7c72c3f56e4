import { headerNames } from '@millrace/contracts';
import type { Pipeline } from '@millrace/resilience';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../errors.ts';
import { isOperatorPath } from './operator-path.ts';
import { priorityOf } from './request-priority.ts';
import type { RequestTally } from './request-tally.ts';
import { deadlineOf } from './work-of-request.ts';

/**
 * Sends every request through a pipeline before its body is read. The pipeline sheds requests by priority and refuses them after their
 * deadline. Its bulkhead, if it has one, limits their number. A request is in flight until its connection has taken the answer.
 */
export function admitRequests(fastify: FastifyInstance, pipeline: Pipeline, requests: Pick<RequestTally, 'endOf'>): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (isOperatorPath(request.routeOptions.url)) {
      done();
      return;
    }
    let admitted = false;
    const run = (): Promise<void> => {
      admitted = true;
      done();
      return requests.endOf(request.raw);
    };
    // The route answers an admitted request. A later error of the pipeline is only counted.
    const refuse = (error: unknown): void => {
      if (!admitted) done(error as Error);
    };
    // An injected outcome or a fallback replaced the request: its route was not asked and has no answer.
    const endWithoutRoute = (): void => {
      if (!admitted)
        done(new ProblemError('unavailable', { detail: `${pipeline.name} did not let the request in.`, retryAfterSeconds: 1 }));
    };
    try {
      const deadline = deadlineOf(request.headers[headerNames.deadline]);
      pipeline.execute(run, { deadline, priority: priorityOf(request), idempotent: false }).then(endWithoutRoute, refuse);
    } catch (error) {
      refuse(error);
    }
  });
}

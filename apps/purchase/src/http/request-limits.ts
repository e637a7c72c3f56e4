import { headerNames } from '@millrace/contracts';
import { deadlineOf, ProblemError } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClientPresence } from '../publish/client-presence.ts';
import type { PublishLimits } from '../publish/publish-call.ts';

/** The limits of the work for a request: its client, its deadline and the time that the service allows. */
export function limitsOf(request: FastifyRequest, reply: FastifyReply, requestMsMax: number): PublishLimits {
  const deadline = deadlineOf(request.headers[headerNames.deadline]);
  const ownDeadline = Date.now() + requestMsMax;
  return { client: clientOf(reply), deadline: Math.min(deadline ?? ownDeadline, ownDeadline), callerDeadline: deadline };
}

function clientOf({ raw }: FastifyReply): ClientPresence {
  const client = new ClientPresence();
  raw.on('close', () => {
    if (!raw.writableFinished)
      client.leave(new ProblemError('client-closed', { detail: 'The client closed the connection before the answer.' }));
  });
  return client;
}

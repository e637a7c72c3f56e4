import { type BatchItem, headerNames, writeScopeOf, type Stream } from '@millrace/contracts';
import { deadlineOf, ProblemError, RequireScope, RoutePriority } from '@millrace/runtime';
import { Body, Controller, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { statusOfBatch, type EventService } from '../events/event-service.ts';
import { ClientPresence } from '../publish/client-presence.ts';
import type { PublishLimits } from '../publish/publish-call.ts';
import type { DrawHex } from '../publish/random-hex.ts';
import { traceparentOf } from '../publish/traceparent.ts';

/** Injection token of the time a request may take, in milliseconds. */
export const REQUEST_MS_MAX = Symbol('REQUEST_MS_MAX');

/** Injection token of the source of random digits. */
export const DRAW_HEX = Symbol('DRAW_HEX');

/** Injection token of the {@link EventService} of a stream. */
export function eventServiceToken({ name }: Stream): string {
  return `EventService of ${name}`;
}

/** Makes the controller of `/v1/<stream>`. Each stream has its own class, so that the route decides the stream and a request looks nothing up. */
export function eventsControllerOf(stream: Stream): Type {
  @Controller(`v1/${stream.name}`)
  @RequireScope(writeScopeOf(stream))
  class EventsController {
    constructor(
      @Inject(eventServiceToken(stream)) private readonly events: EventService,
      @Inject(REQUEST_MS_MAX) private readonly requestMsMax: number,
      @Inject(DRAW_HEX) private readonly draw: DrawHex,
    ) {}

    // A customer waits at the till; a batch can come again. The reply is the only parameter, because Nest spends several promises on each
    // parameter and on a returned value.
    @Post()
    @RoutePriority('high')
    async take(@Res() reply: FastifyReply): Promise<void> {
      const { request } = reply;
      const receipt = await this.events.take(request.body, traceOf(request, this.draw), limitsOf(request, reply, this.requestMsMax));
      void reply.code(202).send(receipt);
    }

    @Post('batch')
    async takeBatch(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      const answer = await this.events.takeBatch(body, traceOf(request, this.draw), limitsOf(request, reply, this.requestMsMax));
      const status = statusOfBatch(answer);
      if (status === 503) void reply.header('retry-after', String(Math.max(...answer.items.map(retryAfterOf))));
      await reply.code(status).send(answer);
    }
  }
  return EventsController;
}

function traceOf({ headers }: FastifyRequest, draw: DrawHex): string {
  return traceparentOf(headers[headerNames.traceparent], draw);
}

function limitsOf(request: FastifyRequest, reply: FastifyReply, requestMsMax: number): PublishLimits {
  const deadline = deadlineOf(request.headers[headerNames.deadline]);
  const ownDeadline = Date.now() + requestMsMax;
  return { client: clientOf(reply), deadline: Math.min(deadline ?? ownDeadline, ownDeadline), callerDeadline: deadline };
}

function retryAfterOf(item: BatchItem): number {
  return 'problem' in item ? (item.problem.retryAfterSeconds ?? 1) : 1;
}

function clientOf({ raw }: FastifyReply): ClientPresence {
  const client = new ClientPresence();
  raw.on('close', () => {
    if (!raw.writableFinished)
      client.leave(new ProblemError('client-closed', { detail: 'The client closed the connection before the answer.' }));
  });
  return client;
}

import { type BatchAnswer, type BatchItem, writeScopeOf, type Stream } from '@millrace/contracts';
import { RequireScope, RoutePriority } from '@millrace/runtime';
import { Body, Controller, Get, Inject, Param, Post, Query, Req, Res, type Type } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { statusOfBatch, verdictOfBatch, type EventTaker } from '../events/event-service.ts';
import { readFollowRequest } from '../follow/follow-request.ts';
import type { FollowService } from '../follow/follow-service.ts';
import { answerKeyed, keyOf } from '../idempotency/answer-keyed.ts';
import { IdempotentAnswers, type KeyedWork, type Verdict } from '../idempotency/idempotent-answers.ts';
import type { DrawHex } from '../publish/random-hex.ts';
import { limitsOf } from './request-limits.ts';
import { traceOf } from './request-trace.ts';

/** Injection token of the time a request may take, in milliseconds. */
export const REQUEST_MS_MAX = Symbol('REQUEST_MS_MAX');

/** Injection token of the source of random digits. */
export const DRAW_HEX = Symbol('DRAW_HEX');

/** Injection token of the {@link EventTaker} of a stream. */
export function eventServiceToken({ name }: Stream): string {
  return `EventService of ${name}`;
}

/** Injection token of the {@link FollowService} of a stream. */
export function followServiceToken({ name }: Stream): string {
  return `FollowService of ${name}`;
}

/**
 * Makes the controller of `/v1/<stream>`. Each stream has its own class, so that the route decides the stream and a request looks nothing
 * up.
 */
export function eventsControllerOf(stream: Stream): Type {
  @Controller(`v1/${stream.name}`)
  @RequireScope(writeScopeOf(stream))
  class EventsController {
    constructor(
      @Inject(eventServiceToken(stream)) private readonly events: EventTaker,
      @Inject(REQUEST_MS_MAX) private readonly requestMsMax: number,
      @Inject(DRAW_HEX) private readonly draw: DrawHex,
      @Inject(IdempotentAnswers) private readonly idempotent: IdempotentAnswers,
      @Inject(followServiceToken(stream)) private readonly follows: FollowService,
    ) {}

    // A customer waits for the answer to a single purchase; a batch can be repeated. The reply is the only parameter, because Nest spends
    // several promises on each
    // parameter and on a returned value.
    @Post()
    @RoutePriority('high')
    async take(@Res() reply: FastifyReply): Promise<void> {
      const { request } = reply;
      const limits = limitsOf(request, reply, this.requestMsMax);
      const key = keyOf(reply);
      const { body } = request;
      const trace = traceOf(request, this.draw);
      const receipt =
        key === undefined
          ? await this.events.take(body, trace, limits)
          : await this.keyed(
              reply,
              key,
              async (newEventId) => await this.events.take(body, trace, limits, newEventId),
              () => 'keep',
            );
      void reply.code(202).send(receipt);
    }

    @Post('batch')
    async takeBatch(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      const limits = limitsOf(request, reply, this.requestMsMax);
      const key = keyOf(reply);
      const trace = traceOf(request, this.draw);
      const take: KeyedWork<BatchAnswer> = async (newEventId) => await this.events.takeBatch(body, trace, limits, newEventId);
      const answer =
        key === undefined ? await this.events.takeBatch(body, trace, limits) : await this.keyed(reply, key, take, verdictOfBatch);
      const status = statusOfBatch(answer);
      if (status === 503) void reply.header('retry-after', String(Math.max(...answer.items.map(retryAfterOf))));
      await reply.code(status).send(answer);
    }

    @Get(':eventId')
    @RoutePriority('low')
    async follow(
      @Param('eventId') id: string,
      @Query() query: Readonly<Record<string, unknown>>,
      @Req() request: FastifyRequest,
      @Res() reply: FastifyReply,
    ): Promise<void> {
      const { eventId, named } = readFollowRequest(id, query);
      const { client, deadline } = limitsOf(request, reply, this.requestMsMax);
      const left = new AbortController();
      client.onGone((reason) => left.abort(reason));
      const way = await this.follows.follow(eventId, named, { deadline, signal: left.signal });
      await reply.header('cache-control', 'no-store').send(way);
    }

    private async keyed<T>(reply: FastifyReply, key: string, work: KeyedWork<T>, verdictOf: (answer: T) => Verdict): Promise<T> {
      return await answerKeyed(this.idempotent, reply, { stream: stream.name, key, body: reply.request.body, verdictOf }, work);
    }
  }
  return EventsController;
}

function retryAfterOf(item: BatchItem): number {
  return 'problem' in item ? (item.problem.retryAfterSeconds ?? 1) : 1;
}

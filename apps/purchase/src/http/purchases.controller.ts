import { type BatchAnswer, type BatchItem, headerNames, purchases } from '@millrace/contracts';
import { deadlineOf, ProblemError, RequireScope, RoutePriority } from '@millrace/runtime';
import { Body, Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerKeyed, keyOf } from '../idempotency/answer-keyed.ts';
import { IdempotentAnswers, type KeyedWork, type Verdict } from '../idempotency/idempotent-answers.ts';
import { ClientPresence } from '../publish/client-presence.ts';
import type { PublishLimits } from '../publish/publish-call.ts';
import type { DrawHex } from '../publish/random-hex.ts';
import { traceparentOf } from '../publish/traceparent.ts';
import { PurchaseService, statusOfBatch, verdictOfBatch } from '../purchases/purchase-service.ts';

/** Injection token of the time a request may take, in milliseconds. */
export const REQUEST_MS_MAX = Symbol('REQUEST_MS_MAX');

/** Injection token of the source of random digits. */
export const DRAW_HEX = Symbol('DRAW_HEX');

/** `/v1/purchases` */
@Controller('v1/purchases')
@RequireScope('purchases:write')
export class PurchasesController {
  constructor(
    @Inject(PurchaseService) private readonly service: PurchaseService,
    @Inject(REQUEST_MS_MAX) private readonly requestMsMax: number,
    @Inject(DRAW_HEX) private readonly draw: DrawHex,
    @Inject(IdempotentAnswers) private readonly idempotent: IdempotentAnswers,
  ) {}

  // A customer waits at the till; a batch can come again. The reply is the only parameter, because Nest spends several promises on each
  // parameter and on a returned value.
  @Post()
  @RoutePriority('high')
  async take(@Res() reply: FastifyReply): Promise<void> {
    const { request } = reply;
    const limits = this.limitsOf(request, reply);
    const key = keyOf(reply);
    const { body } = request;
    const trace = this.traceOf(request);
    const receipt =
      key === undefined
        ? await this.service.take(body, trace, limits)
        : await this.keyed(
            reply,
            key,
            async (newEventId) => await this.service.take(body, trace, limits, newEventId),
            () => 'keep',
          );
    void reply.code(202).send(receipt);
  }

  @Post('batch')
  async takeBatch(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const limits = this.limitsOf(request, reply);
    const key = keyOf(reply);
    const trace = this.traceOf(request);
    const take: KeyedWork<BatchAnswer> = async (newEventId) => await this.service.takeBatch(body, trace, limits, newEventId);
    const answer =
      key === undefined ? await this.service.takeBatch(body, trace, limits) : await this.keyed(reply, key, take, verdictOfBatch);
    const status = statusOfBatch(answer);
    if (status === 503) void reply.header('retry-after', String(Math.max(...answer.items.map(retryAfterOf))));
    await reply.code(status).send(answer);
  }

  private async keyed<T>(reply: FastifyReply, key: string, work: KeyedWork<T>, verdictOf: (answer: T) => Verdict): Promise<T> {
    return await answerKeyed(this.idempotent, reply, { stream: purchases.name, key, body: reply.request.body, verdictOf }, work);
  }

  private traceOf({ headers }: FastifyRequest): string {
    return traceparentOf(headers[headerNames.traceparent], this.draw);
  }

  private limitsOf(request: FastifyRequest, reply: FastifyReply): PublishLimits {
    const deadline = deadlineOf(request.headers[headerNames.deadline]);
    const ownDeadline = Date.now() + this.requestMsMax;
    return { client: clientOf(reply), deadline: Math.min(deadline ?? ownDeadline, ownDeadline), callerDeadline: deadline };
  }
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

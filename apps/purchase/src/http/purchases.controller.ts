import { headerNames, type PurchaseReceipt } from '@millrace/contracts';
import { RequireScope, RoutePriority, workOfRequest } from '@millrace/runtime';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PublishLimits } from '../publish/publish-call.ts';
import { traceparentOf } from '../publish/traceparent.ts';
import { PurchaseService, statusOfBatch } from '../purchases/purchase-service.ts';

/** Injection token of the time a request may take, in milliseconds. */
export const REQUEST_MS_MAX = Symbol('REQUEST_MS_MAX');

/** `/v1/purchases` */
@Controller('v1/purchases')
@RequireScope('purchases:write')
export class PurchasesController {
  constructor(
    @Inject(PurchaseService) private readonly purchases: PurchaseService,
    @Inject(REQUEST_MS_MAX) private readonly requestMsMax: number,
  ) {}

  // Somebody waits at the till; a batch can come again.
  @Post()
  @RoutePriority('high')
  @HttpCode(202)
  async take(@Body() body: unknown, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<PurchaseReceipt> {
    return await this.purchases.take(body, traceparentOf(request.headers[headerNames.traceparent]), this.limitsOf(request, reply));
  }

  @Post('batch')
  async takeBatch(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const answer = await this.purchases.takeBatch(body, traceparentOf(request.headers[headerNames.traceparent]), this.limitsOf(request, reply));
    const status = statusOfBatch(answer);
    if (status === 503) void reply.header('retry-after', String(Math.max(...answer.items.map(({ problem }) => problem?.retryAfterSeconds ?? 1))));
    await reply.code(status).send(answer);
  }

  private limitsOf(request: FastifyRequest, reply: FastifyReply): PublishLimits {
    const { signal, deadline } = workOfRequest(request, reply);
    return { signal, deadline: Math.min(deadline ?? Number.POSITIVE_INFINITY, Date.now() + this.requestMsMax), callerDeadline: deadline };
  }
}

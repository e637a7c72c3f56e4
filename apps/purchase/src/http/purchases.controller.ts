import { type BatchItem, headerNames } from '@millrace/contracts';
import { RequireScope, RoutePriority } from '@millrace/runtime';
import { Body, Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DrawHex } from '../publish/random-hex.ts';
import { traceparentOf } from '../publish/traceparent.ts';
import { PurchaseService, statusOfBatch } from '../purchases/purchase-service.ts';
import { limitsOf } from './request-limits.ts';

/** Injection token of the time a request may take, in milliseconds. */
export const REQUEST_MS_MAX = Symbol('REQUEST_MS_MAX');

/** Injection token of the source of random digits. */
export const DRAW_HEX = Symbol('DRAW_HEX');

/** `/v1/purchases` */
@Controller('v1/purchases')
@RequireScope('purchases:write')
export class PurchasesController {
  constructor(
    @Inject(PurchaseService) private readonly purchases: PurchaseService,
    @Inject(REQUEST_MS_MAX) private readonly requestMsMax: number,
    @Inject(DRAW_HEX) private readonly draw: DrawHex,
  ) {}

  // A customer waits at the till; a batch can come again. The reply is the only parameter, because Nest spends several promises on each
  // parameter and on a returned value.
  @Post()
  @RoutePriority('high')
  async take(@Res() reply: FastifyReply): Promise<void> {
    const { request } = reply;
    const receipt = await this.purchases.take(request.body, this.traceOf(request), limitsOf(request, reply, this.requestMsMax));
    void reply.code(202).send(receipt);
  }

  @Post('batch')
  async takeBatch(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const answer = await this.purchases.takeBatch(body, this.traceOf(request), limitsOf(request, reply, this.requestMsMax));
    const status = statusOfBatch(answer);
    if (status === 503) void reply.header('retry-after', String(Math.max(...answer.items.map(retryAfterOf))));
    await reply.code(status).send(answer);
  }

  private traceOf({ headers }: FastifyRequest): string {
    return traceparentOf(headers[headerNames.traceparent], this.draw);
  }
}

function retryAfterOf(item: BatchItem): number {
  return 'problem' in item ? (item.problem.retryAfterSeconds ?? 1) : 1;
}

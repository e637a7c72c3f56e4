import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { Lifecycle, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Ledgers } from '../ledger/ledgers.ts';
import { timeStepsOf } from '../ledger/timeline-request.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import { requestLimitsOf } from './request-limits.ts';
import type { QueryString } from './request-reading.ts';

/** The ledger of a table, and its audit. */
@Controller('v1/tables')
@RequireScope('admin')
@UseInterceptors(QueryErrorInterceptor)
export class LedgerController {
  constructor(
    @Inject(Ledgers) private readonly ledgers: Ledgers,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  @Get(':name/ledger')
  async timeline(
    @Param('name') name: string,
    @Query() query: QueryString,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { signal } = requestLimitsOf(request, reply, this.lifecycle);
    const timeline = await this.ledgers.timeline(name, timeStepsOf(query, Date.now()), signal);
    void reply.header('cache-control', 'private, no-store').send(timeline);
  }

  @Post(':name/audit')
  @HttpCode(200)
  audit(@Param('name') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const { signal } = requestLimitsOf(request, reply, this.lifecycle);
    const events = this.ledgers.audit(name, signal);
    void reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'private, no-store')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(events));
  }
}

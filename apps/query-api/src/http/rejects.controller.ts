import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { Lifecycle, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { validationError } from '../errors.ts';
import { rejectListRequestOf } from '../rejects/reject-listing.ts';
import { Rejects } from '../rejects/rejects.ts';
import { callerOf } from './caller-of.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import { requestLimitsOf } from './request-limits.ts';
import type { QueryString } from './request-reading.ts';

/** `/v1/rejects`: records that broke the contract. Only for `admin`: they hold personal data, and a redrive changes the topic. */
@Controller('v1/rejects')
@RequireScope('admin')
@UseInterceptors(QueryErrorInterceptor)
export class RejectsController {
  constructor(
    @Inject(Rejects) private readonly rejects: Rejects,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  @Get()
  async list(@Query() query: QueryString, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const list = await this.rejects.list(rejectListRequestOf(query), requestLimitsOf(request, reply, this.lifecycle));
    void reply.header('cache-control', 'private, no-store').send(list);
  }

  @Get(':partition/:offset')
  async show(
    @Param('partition') partition: string,
    @Param('offset') offset: string,
    @Query() { stream }: QueryString,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const place = [numberOf('partition', partition, 999_999), numberOf('offset', offset, Number.MAX_SAFE_INTEGER)] as const;
    const name = typeof stream === 'string' ? stream : undefined;
    const reject = await this.rejects.show(name, ...place, requestLimitsOf(request, reply, this.lifecycle));
    void reply.header('cache-control', 'private, no-store').send(reject);
  }

  @Post('redrive')
  @HttpCode(200)
  async redrive(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    void reply.send(await this.rejects.redrive(body, callerOf(request), requestLimitsOf(request, reply, this.lifecycle)));
  }
}

function numberOf(field: string, text: string, maximum: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= maximum) return value;
  throw validationError([{ field, message: `must be a whole number from 0 to ${maximum}` }]);
}

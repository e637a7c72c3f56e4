import { Controller, Get, Inject, Param, Req, Res, UseInterceptors } from '@nestjs/common';
import { asyncApiOf, type JsonObject, type StreamDetails } from '@millrace/contracts';
import { Lifecycle, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { QueryError } from '../errors.ts';
import { QUERY_CATALOG, type QueryCatalog } from './catalog.controller.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import { requestLimitsOf } from './request-limits.ts';

/** Describes every stream. */
export type DescribeStreams = (signal: AbortSignal) => Promise<StreamDetails>;

export const DESCRIBE_STREAMS = Symbol('DESCRIBE_STREAMS');

/** `/v1/streams`: the schemas of the events, for analysts and for other teams. */
@Controller('v1/streams')
@RequireScope('queries:run', 'admin')
@UseInterceptors(QueryErrorInterceptor)
export class StreamsController {
  constructor(
    @Inject(DESCRIBE_STREAMS) private readonly describe: DescribeStreams,
    @Inject(QUERY_CATALOG) private readonly catalog: Pick<QueryCatalog, 'streams'>,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  @Get()
  async streams(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    void reply.send(await this.describe(requestLimitsOf(request, reply, this.lifecycle).signal));
  }

  @Get(':name/asyncapi')
  asyncApi(@Param('name') name: string): JsonObject {
    const stream = this.catalog.streams.find((one) => one.name === name);
    if (stream === undefined) throw new QueryError('not-found', `There is no stream ${name}. GET /v1/streams lists the streams.`);
    return asyncApiOf(stream);
  }
}

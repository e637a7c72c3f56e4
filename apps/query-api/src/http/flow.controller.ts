import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { circuitChangeSchema, followPathOf, uuidPattern, validatorFor, type FlowPipeline } from '@millrace/contracts';
import { idOfPrincipal, Lifecycle, LOGGER, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { validationError } from '../errors.ts';
import { FlowReader, type FlowCall } from '../flow/flow-reader.ts';
import { streamNamed } from '../stream-named.ts';
import { callerOf } from './caller-of.ts';
import { QUERY_CATALOG, type QueryCatalog } from './catalog.controller.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import { requestLimitsOf } from './request-limits.ts';
import type { QueryString } from './request-reading.ts';

const changes = validatorFor(circuitChangeSchema);
const eventIds = new RegExp(uuidPattern);

/** `/v1/flow` and `/v1/events`: the other processes, as their own routes describe them. */
@Controller('v1')
@UseInterceptors(QueryErrorInterceptor)
export class FlowController {
  constructor(
    @Inject(FlowReader) private readonly reader: FlowReader,
    @Inject(QUERY_CATALOG) private readonly catalog: Pick<QueryCatalog, 'streams'>,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get('flow')
  @RequireScope('admin')
  async flow(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const flow = await this.reader.read(this.#callOf(request, reply));
    void reply.header('cache-control', 'private, no-store').send(flow);
  }

  @Post('flow/:process/pipelines/:pipeline')
  @HttpCode(200)
  @RequireScope('admin')
  async changeCircuit(
    @Param('process') process: string,
    @Param('pipeline') pipeline: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!changes.check(body)) throw validationError(changes.violations(body));
    const by = idOfPrincipal(callerOf(request));
    // Logged before the change, so that the log has a change whose answer was lost.
    this.logger.info({ audit: 'circuit-change-requested', process, pipeline, ...body, by }, 'An administrator changes a circuit.');
    const changed: FlowPipeline = await this.reader.changeCircuit(process, pipeline, body, this.#callOf(request, reply));
    void reply.send(changed);
  }

  /** The purchase API checks the scope of the stream. */
  @Get('events/:eventId')
  async event(
    @Param('eventId') eventId: string,
    @Query() query: QueryString,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const id = eventId.toLowerCase();
    if (!eventIds.test(id)) throw validationError([{ field: 'eventId', message: 'must be a UUID' }]);
    const path = followPathOf(streamNamed(this.catalog.streams, query['stream']), id, placeOf(query));
    const way = await this.reader.relay('purchase', path, this.#callOf(request, reply));
    void reply.header('content-type', 'application/json; charset=utf-8').header('cache-control', 'private, no-store').send(way);
  }

  #callOf(request: FastifyRequest, reply: FastifyReply): FlowCall {
    const { signal, deadline } = requestLimitsOf(request, reply, this.lifecycle);
    return { authorization: request.headers.authorization, signal, deadline };
  }
}

function placeOf({ partition, offset }: QueryString): { partition: number; offset: string } | undefined {
  if (partition === undefined && offset === undefined) return undefined;
  const isPlace = /^\d{1,6}$/.test(String(partition)) && /^\d{1,16}$/.test(String(offset));
  if (isPlace) return { partition: Number(partition), offset: String(offset) };
  throw validationError([{ field: 'offset', message: 'must be a whole number, with a partition' }]);
}

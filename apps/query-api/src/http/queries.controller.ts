import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Headers, Inject, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { headerNames, type InlineQueryView } from '@millrace/contracts';
import { deadlineOf, Lifecycle, principalOf, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { QueryError } from '../errors.ts';
import type { RequestLimits } from '../guards.ts';
import { isFinal, viewOf, type QueryRecord } from '../queries/query-record.ts';
import { QueryService } from '../queries/query-service.ts';
import { formatted, wholeFormats } from '../results/result-formats.ts';
import { answerSignal } from './answer-signal.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import { acceptedOf, cursorOf, idempotencyKeyOf, limitOf, matchesTag, preferredWaitMs, waitMsOf, type QueryString } from './request-reading.ts';

const json = 'application/json';

/** `/v1/queries` */
@Controller('v1/queries')
@RequireScope('queries:run')
@UseInterceptors(QueryErrorInterceptor)
export class QueriesController {
  constructor(
    @Inject(QueryService) private readonly queries: QueryService,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  @Post()
  async submit(
    @Body() body: unknown,
    @Headers('prefer') prefer: string | undefined,
    @Headers('idempotency-key') key: string | undefined,
    @Query() query: QueryString,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const limit = limitOf(query);
    const waitMs = preferredWaitMs(prefer);
    const ownKey = idempotencyKeyOf(key);
    const limits = this.limitsOf(request, reply);
    // Each client has keys of its own.
    const submitted = await this.queries.submit(body, ownKey === undefined ? undefined : `${principalOf(request)?.subject ?? ''}\n${ownKey}`, limits);
    const record = waitMs > 0 ? await this.queries.settle(submitted, waitMs, limits) : submitted;
    void reply.header('location', viewOf(record).links.self);
    if (waitMs > 0) void reply.header('preference-applied', `wait=${waitMs / 1000}`);
    if (!isFinal(record.state)) {
      void reply.status(202).header('retry-after', '1').send(viewOf(record));
      return;
    }
    const results = record.state === 'succeeded' ? await this.queries.firstPage(record, limit, limits) : undefined;
    const view: InlineQueryView = { ...viewOf(record), ...(results === undefined ? {} : { results }) };
    void reply.status(200).send(view);
  }

  @Get(':id')
  async get(@Param('id') id: string, @Query() query: QueryString, @Headers('if-none-match') ifNoneMatch: string | undefined, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const record = await this.queries.get(id, waitMsOf(query), this.limitsOf(request, reply));
    sendView(record, reply, ifNoneMatch);
  }

  @Delete(':id')
  async cancel(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const record = await this.queries.cancel(id, this.limitsOf(request, reply));
    void reply.status(isFinal(record.state) ? 200 : 202).send(viewOf(record));
  }

  @Get(':id/results')
  async results(@Param('id') id: string, @Query() query: QueryString, @Headers('accept') accept: string | undefined, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const offered = [json, ...wholeFormats.map(({ mediaType }) => mediaType)];
    const mediaType = acceptedOf(accept, offered);
    if (mediaType === undefined) throw new QueryError('not-acceptable', `Results are given as ${offered.join(', ')}.`);
    const limits = this.limitsOf(request, reply);
    void reply.header('vary', 'accept');
    const format = wholeFormats.find((candidate) => candidate.mediaType === mediaType);
    if (format === undefined) {
      void reply.send(await this.queries.page(id, cursorOf(query), limitOf(query), limits));
      return;
    }
    const { manifest, rows } = await this.queries.whole(id, limits);
    void reply.header('content-type', `${mediaType}; charset=utf-8`).send(Readable.from(formatted(format, manifest.columns, rows)));
  }

  /** One way for every route, so that each ends with its caller. */
  private limitsOf(request: FastifyRequest, reply: FastifyReply): RequestLimits {
    return { signal: answerSignal(reply.raw, this.lifecycle.stopping), deadline: deadlineOf(request.headers[headerNames.deadline]) };
  }
}

function sendView(record: QueryRecord, reply: FastifyReply, ifNoneMatch: string | undefined): void {
  const view = viewOf(record);
  const tag = `"${createHash('sha256').update(JSON.stringify(view)).digest('base64url').slice(0, 22)}"`;
  void reply.header('etag', tag).header('cache-control', 'private, no-cache');
  if (!isFinal(record.state)) void reply.header('retry-after', '1');
  if (matchesTag(ifNoneMatch, tag)) void reply.status(304).send();
  else void reply.status(200).send(view);
}

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import type { InlineQueryView } from '@millrace/contracts';
import { idempotencyKeyOf, Lifecycle, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { QueryError } from '../errors.ts';
import { listRequestOf } from '../queries/query-listing.ts';
import { ageSecondsOf, isFinal, viewOf, type QueryRecord } from '../queries/query-record.ts';
import { QueryService, type WaitTimeout } from '../queries/query-service.ts';
import { eventNumberOf } from '../queries/progress/query-events.ts';
import { wholeFormats } from '../results/formats/result-formats.ts';
import { answerSignal } from './answer-signal.ts';
import { callerOf } from './caller-of.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import { requestLimitsOf } from './request-limits.ts';
import {
  acceptedOf,
  cacheUseOf,
  cursorOf,
  limitOf,
  linkSecondsOf,
  matchesTag,
  preferredWaitMs,
  waitMsOf,
  type QueryString,
} from './request-reading.ts';

const json = 'application/json';

/** `/v1/queries`. A caller sees its own queries; `admin` sees and cancels those of every caller. */
@Controller('v1/queries')
@RequireScope('queries:run', 'admin')
@UseInterceptors(QueryErrorInterceptor)
export class QueriesController {
  constructor(
    @Inject(QueryService) private readonly queries: QueryService,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  @Post()
  @RequireScope('queries:run')
  async submit(
    @Body() body: unknown,
    @Headers('prefer') prefer: string | undefined,
    @Headers('idempotency-key') key: string | undefined,
    @Headers('cache-control') cacheControl: string | undefined,
    @Query() query: QueryString,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const limit = limitOf(query);
    const waitMs = preferredWaitMs(prefer);
    const limits = requestLimitsOf(request, reply, this.lifecycle);
    const caller = callerOf(request);
    const submitted = await this.queries.submit(body, idempotencyKeyOf(key), caller, limits, cacheUseOf(cacheControl), waitMs);
    const isWaiting = waitMs > 0 && !isFinal(submitted.record.state);
    const record = isWaiting ? await this.queries.settle(submitted.record, waitMs, caller, limits, waitTimeoutOf(body)) : submitted.record;
    if (submitted.cache !== undefined) void reply.header('x-cache', submitted.cache);
    if (record.outcome?.cachedAt !== undefined) void reply.header('age', String(ageSecondsOf(record.outcome)));
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

  @Post('estimate')
  @HttpCode(200)
  @RequireScope('queries:run')
  async estimate(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    void reply.send(await this.queries.estimate(body, requestLimitsOf(request, reply, this.lifecycle)));
  }

  @Get()
  async list(@Query() query: QueryString, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const list = await this.queries.list(listRequestOf(query), callerOf(request), requestLimitsOf(request, reply, this.lifecycle));
    void reply.header('cache-control', 'private, no-cache').send(list);
  }

  @Get(':id')
  async get(
    @Param('id') id: string,
    @Query() query: QueryString,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const record = await this.queries.get(id, waitMsOf(query), callerOf(request), requestLimitsOf(request, reply, this.lifecycle));
    sendView(record, reply, ifNoneMatch);
  }

  @Get(':id/events')
  async events(
    @Param('id') id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const signal = answerSignal(reply.raw, this.lifecycle.stopping);
    const events = await this.queries.events(id, eventNumberOf(lastEventId), callerOf(request), { signal });
    // 204 tells a browser not to connect again.
    if (events === undefined) return void reply.status(204).send();
    void reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'private, no-store')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(events));
  }

  @Delete(':id')
  async cancel(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const record = await this.queries.cancel(id, callerOf(request), requestLimitsOf(request, reply, this.lifecycle));
    void reply.status(isFinal(record.state) ? 200 : 202).send(viewOf(record));
  }

  @Get(':id/results')
  async results(
    @Param('id') id: string,
    @Query() query: QueryString,
    @Headers('accept') accept: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const offered = [json, ...wholeFormats.map(({ mediaType }) => mediaType)];
    const mediaType = acceptedOf(accept, offered);
    if (mediaType === undefined) throw new QueryError('not-acceptable', `Results are given as ${offered.join(', ')}.`);
    const limits = requestLimitsOf(request, reply, this.lifecycle);
    const caller = callerOf(request);
    void reply.header('vary', 'accept').header('cache-control', 'private, no-cache');
    // A result never changes.
    const tag = tagOf([id, mediaType, query['cursor'], query['limit']]);
    if (matchesTag(ifNoneMatch, tag)) {
      await this.queries.checkResult(id, caller, limits);
      return void reply.header('etag', tag).status(304).send();
    }
    const format = wholeFormats.find((candidate) => candidate.mediaType === mediaType);
    if (format === undefined) {
      const page = await this.queries.page(id, cursorOf(query), limitOf(query), caller, limits);
      void reply.header('etag', tag).send(page);
      return;
    }
    const { manifest, rows } = await this.queries.whole(id, caller, limits);
    void reply
      .header('etag', tag)
      .header('content-type', format.contentType)
      // Not object mode: the reader's window, in bytes, decides when the next part is read.
      .send(Readable.from(format.encode(manifest.columns, rows), { objectMode: false }));
  }

  @Get(':id/results/links')
  async links(
    @Param('id') id: string,
    @Query() query: QueryString,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = { seconds: linkSecondsOf(query), cursor: cursorOf(query) };
    const links = await this.queries.links(id, asked, callerOf(request), requestLimitsOf(request, reply, this.lifecycle));
    void reply.header('cache-control', 'private, no-store').send(links);
  }
}

function sendView(record: QueryRecord, reply: FastifyReply, ifNoneMatch: string | undefined): void {
  const view = viewOf(record);
  const tag = tagOf(view);
  void reply.header('etag', tag).header('cache-control', 'private, no-cache');
  if (!isFinal(record.state)) void reply.header('retry-after', '1');
  if (matchesTag(ifNoneMatch, tag)) void reply.status(304).send();
  else void reply.status(200).send(view);
}

function tagOf(content: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22)}"`;
}

/** The choice in a body that was checked. */
function waitTimeoutOf(body: unknown): WaitTimeout {
  return typeof body === 'object' && body !== null && 'onWaitTimeout' in body && body.onWaitTimeout === 'cancel' ? 'cancel' : 'continue';
}

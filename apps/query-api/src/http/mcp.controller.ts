import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { Lifecycle, LOGGER, ProblemError, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Tables } from '../catalog/tables.ts';
import type { ToolParts } from '../mcp/tool-call.ts';
import { QueryService } from '../queries/query-service.ts';
import { callerOf } from './caller-of.ts';
import { QUERY_CATALOG, type QueryCatalog } from './catalog.controller.ts';
import { requestLimitsOf } from './request-limits.ts';

/**
 * `/mcp`: the tools of the query API by the Model Context Protocol (Streamable HTTP, without sessions). Each request is one message, and has
 * the caller, the limits and the admission of any other request.
 */
@Controller('mcp')
@RequireScope('queries:run')
export class McpController {
  readonly #parts: ToolParts;

  constructor(
    @Inject(QueryService) queries: QueryService,
    @Inject(Tables) tables: Tables,
    @Inject(QUERY_CATALOG) { streams, database }: QueryCatalog,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const onFailure: ToolParts['onFailure'] = (error, tool) =>
      logger.error({ err: error, tool }, 'A tool failed with an unexpected error.');
    this.#parts = { queries, tables, streams, database, onFailure };
  }

  @Post()
  @HttpCode(200)
  async receive(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // Protocol versions before 2025-06-18 had batches: one admission would cover many queries.
    if (Array.isArray(body))
      throw new ProblemError('validation', { detail: 'Send one message in each request. Batches are not supported.' });
    const limits = requestLimitsOf(request, reply, this.lifecycle);
    const call = { caller: callerOf(request), limits };
    // Loaded by the first message: most processes never get one.
    const [{ createMcpHandler }, { mcpServerFor }] = await Promise.all([
      import('@modelcontextprotocol/server'),
      import('../mcp/mcp-server.ts'),
    ]);
    const handler = createMcpHandler(() => mcpServerFor(this.#parts, call), {
      // The tools never change, so that a stream of changes would stay open for nothing.
      maxSubscriptions: 0,
      onerror: (error) => this.logger.debug({ err: error }, 'A message of the Model Context Protocol was refused.'),
    });
    const message = new Request(`http://${request.host}${request.url}`, {
      method: 'POST',
      headers: headersOf(request),
      signal: limits.signal,
    });
    void reply.send(await handler.fetch(message, { parsedBody: body }));
  }
}

/** Headers that the protocol reads. The credentials stay here. */
function headersOf({ headers }: FastifyRequest): Headers {
  const forwarded = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    const isForProtocol = name === 'accept' || name === 'content-type' || name.startsWith('mcp-') || name === 'last-event-id';
    if (isForProtocol && typeof value === 'string') forwarded.set(name, value);
  }
  return forwarded;
}

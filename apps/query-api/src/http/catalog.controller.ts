import { Controller, Get, Inject, Param, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import type { EngineName, Stream } from '@millrace/contracts';
import { Lifecycle, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { columnsOf } from '../catalog/table-detail.ts';
import { Tables } from '../catalog/tables.ts';
import { QueryError } from '../errors.ts';
import type { Report } from '../reports/report.ts';
import { ReportUsage } from '../reports/report-usage.ts';
import { callerOf } from './caller-of.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import { requestLimitsOf } from './request-limits.ts';
import { sampleRowsOf, type QueryString } from './request-reading.ts';

/** Tables, reports and engines. */
export interface QueryCatalog {
  readonly database: string;
  readonly streams: readonly Stream[];
  readonly reports: readonly Report[];
  readonly engines: readonly EngineName[];
  readonly defaultEngine: EngineName;
}

export const QUERY_CATALOG = Symbol('QUERY_CATALOG');

/** `/v1/tables`, `/v1/reports`, `/v1/engines` */
@Controller('v1')
@RequireScope('queries:run')
@UseInterceptors(QueryErrorInterceptor)
export class CatalogController {
  constructor(
    @Inject(QUERY_CATALOG) private readonly catalog: QueryCatalog,
    @Inject(ReportUsage) private readonly usage: ReportUsage,
    @Inject(Tables) private readonly tables: Tables,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  @Get('tables')
  listTables(): unknown {
    const { streams, database } = this.catalog;
    return { tables: streams.map((stream) => ({ name: stream.table, database, columns: columnsOf(stream) })) };
  }

  @Get('tables/:name')
  async table(
    @Param('name') name: string,
    @Query() query: QueryString,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const limits = requestLimitsOf(request, reply, this.lifecycle);
    void reply.send(await this.tables.describe(name, sampleRowsOf(query), callerOf(request), limits));
  }

  @Get('reports')
  async reports(): Promise<unknown> {
    const { reports } = this.catalog;
    const usage = await this.usage.read(reports.map(({ name }) => name));
    return { reports: reports.map((report) => ({ ...report, usage: usage[report.name] ?? null })) };
  }

  @Get('reports/:name')
  async report(@Param('name') name: string): Promise<unknown> {
    const report = this.catalog.reports.find((candidate) => candidate.name === name);
    if (report === undefined) throw new QueryError('not-found', `There is no report ${name}. GET /v1/reports lists them.`);
    return { ...report, usage: (await this.usage.read([name]))[name] ?? null };
  }

  @Get('engines')
  engines(): unknown {
    const { engines, defaultEngine } = this.catalog;
    return { engines: engines.map((name) => ({ name, default: name === defaultEngine })) };
  }
}

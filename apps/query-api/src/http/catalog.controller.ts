import { Controller, Get, Inject, Param } from '@nestjs/common';
import type { EngineName, Stream } from '@millrace/contracts';
import { RequireScope } from '@millrace/runtime';
import { QueryError } from '../errors.ts';
import type { Report } from '../reports/report.ts';
import { ReportUsage } from '../reports/report-usage.ts';

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
export class CatalogController {
  constructor(
    @Inject(QUERY_CATALOG) private readonly catalog: QueryCatalog,
    @Inject(ReportUsage) private readonly usage: ReportUsage,
  ) {}

  @Get('tables')
  tables(): unknown {
    const { streams, database } = this.catalog;
    return {
      tables: streams.map(({ table, columns, partitionKey }) => ({
        name: table,
        database,
        columns: [
          ...columns.map(({ name, type, description }) => ({ name, type, description })),
          {
            name: partitionKey,
            type: 'string',
            description: 'Partition key: the UTC date of the event, YYYY-MM-DD; a condition on it reads less',
          },
        ],
      })),
    };
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

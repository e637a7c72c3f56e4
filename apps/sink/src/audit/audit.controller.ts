import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { AuditReport } from '@millrace/lake';
import { ProblemError, RequireScope, workOfRequest } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuditRuns } from './audit-runs.ts';

/** `/v1/audit`: whether the table is complete, now. */
@RequireScope('admin')
@Controller('v1/audit')
export class AuditController {
  readonly #runs: AuditRuns;

  constructor(@Inject(AuditRuns) runs: AuditRuns) {
    this.#runs = runs;
  }

  @Get()
  async audit(
    @Query() query: Readonly<Record<string, unknown>>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AuditReport> {
    const [unknown] = Object.keys(query);
    if (unknown !== undefined) throw new ProblemError('validation', { errors: [{ field: unknown, message: 'is not a known parameter' }] });
    const report = await this.#runs.audit(workOfRequest(request, reply).signal);
    if (report.lanes.length === 0 && report.faultCount === 0)
      throw new ProblemError('not-found', { detail: `Nothing has landed in the table ${report.table} yet.` });
    void reply.header('cache-control', 'no-store');
    return report;
  }
}

import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { AuditReport } from '@millrace/lake';
import { ProblemError, RequireScope, workOfRequest } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuditRuns } from './audit-runs.ts';

/** Injection token of the audits by the name of the stream. */
export const AUDITS = Symbol('AUDITS');

/** `/v1/audit`: whether the table of a stream is complete, now. */
@RequireScope('admin')
@Controller('v1/audit')
export class AuditController {
  readonly #audits: ReadonlyMap<string, AuditRuns>;

  constructor(@Inject(AUDITS) audits: ReadonlyMap<string, AuditRuns>) {
    this.#audits = audits;
  }

  @Get()
  async audit(
    @Query() query: Readonly<Record<string, unknown>>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AuditReport> {
    const [unknown] = Object.keys(query).filter((name) => name !== 'stream');
    if (unknown !== undefined) throw new ProblemError('validation', { errors: [{ field: unknown, message: 'is not a known parameter' }] });
    const report = await this.#runsOf(query['stream']).audit(workOfRequest(request, reply).signal);
    if (report.lanes.length === 0 && report.faultCount === 0)
      throw new ProblemError('not-found', { detail: `Nothing has landed in the table ${report.table} yet.` });
    void reply.header('cache-control', 'no-store');
    return report;
  }

  #runsOf(name: unknown): AuditRuns {
    const [first] = this.#audits.values();
    if (name === undefined) return first!;
    const runs = typeof name === 'string' ? this.#audits.get(name) : undefined;
    if (runs !== undefined) return runs;
    const message = `must be one of ${[...this.#audits.keys()].join(', ')}`;
    throw new ProblemError('validation', { errors: [{ field: 'stream', message }] });
  }
}

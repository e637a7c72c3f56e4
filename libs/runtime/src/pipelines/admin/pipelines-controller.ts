import { Body, Controller, Get, Inject, Param, Patch } from '@nestjs/common';
import { RequireScope } from '../../auth/require-scope.ts';
import { PipelineAdmin, type PipelinesView, type PipelineView } from './pipeline-admin.ts';

/** Endpoint for operators to read and change pipelines at run time. */
@RequireScope('admin')
@Controller('admin/pipelines')
export class PipelinesController {
  readonly #admin: PipelineAdmin;

  constructor(@Inject(PipelineAdmin) admin: PipelineAdmin) {
    this.#admin = admin;
  }

  @Get()
  list(): PipelinesView {
    return this.#admin.list();
  }

  @Get(':name')
  one(@Param('name') name: string): PipelineView {
    return this.#admin.one(name);
  }

  @Patch(':name')
  change(@Param('name') name: string, @Body() body: unknown): PipelineView {
    return this.#admin.change(name, body);
  }
}

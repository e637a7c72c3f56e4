import { Body, Controller, Get, Inject, Param, Patch } from '@nestjs/common';
import { RequireScope } from '../../auth/require-scope.ts';
import { PipelineAdmin, type PipelinesView, type PipelineView } from './pipeline-admin.ts';

/** What an operator reads and changes while the service runs. */
@RequireScope('admin')
@Controller('admin/pipelines')
export class PipelinesController {
  constructor(@Inject(PipelineAdmin) private readonly admin: PipelineAdmin) {}

  @Get()
  list(): PipelinesView {
    return this.admin.list();
  }

  @Get(':name')
  one(@Param('name') name: string): PipelineView {
    return this.admin.one(name);
  }

  @Patch(':name')
  change(@Param('name') name: string, @Body() body: unknown): PipelineView {
    return this.admin.change(name, body);
  }
}

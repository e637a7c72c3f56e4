import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { CallerView } from '@millrace/contracts';
import { idOfPrincipal } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleSettings } from '../console/console-settings.ts';
import { callerOf } from './caller-of.ts';
import { CONSOLE_SETTINGS } from './sign-in.controller.ts';

/** `/v1/caller`: tells a page which features its user may use. */
@Controller('v1/caller')
export class CallerController {
  constructor(@Inject(CONSOLE_SETTINGS) private readonly settings: Pick<ConsoleSettings, 'chaosUrl'>) {}

  @Get()
  caller(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const caller = callerOf(request);
    const { chaosUrl } = this.settings;
    const view: CallerView = {
      ...idOfPrincipal(caller),
      scopes: [...caller.scopes],
      ...(chaosUrl === undefined || !caller.scopes.has('admin') ? {} : { chaosUrl }),
    };
    void reply.header('cache-control', 'private, no-store').send(view);
  }
}

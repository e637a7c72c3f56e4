import { Controller, Get, Req, Res } from '@nestjs/common';
import type { CallerView } from '@millrace/contracts';
import { idOfPrincipal } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller-of.ts';

/** `/v1/caller`: lets a page show only that which its user may use. */
@Controller('v1/caller')
export class CallerController {
  @Get()
  caller(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const caller = callerOf(request);
    const view: CallerView = { ...idOfPrincipal(caller), scopes: [...caller.scopes] };
    void reply.header('cache-control', 'private, no-store').send(view);
  }
}

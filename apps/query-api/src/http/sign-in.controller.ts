import { Controller, Get, Inject, Res } from '@nestjs/common';
import { OpenRoute } from '@millrace/runtime';
import type { FastifyReply } from 'fastify';
import type { ConsoleSettings } from '../console/console-settings.ts';

/** Injection token of {@link ConsoleSettings}. */
export const CONSOLE_SETTINGS = Symbol('CONSOLE_SETTINGS');

/** `/v1/sign-in`: describes to the console how its users sign in. A public client has no secret. */
@Controller('v1/sign-in')
export class SignInController {
  constructor(@Inject(CONSOLE_SETTINGS) private readonly settings: Pick<ConsoleSettings, 'signIn'>) {}

  @Get()
  @OpenRoute()
  view(@Res() reply: FastifyReply): void {
    void reply.header('cache-control', 'no-cache').send(this.settings.signIn);
  }
}

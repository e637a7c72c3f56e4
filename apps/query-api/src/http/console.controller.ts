import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { OpenRoute, ProblemError } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { codingFor, consolePath, consolePolicy, readConsole } from '../console/console-files.ts';
import type { ConsoleSettings } from '../console/console-settings.ts';
import { matchesTag } from './request-reading.ts';
import { CONSOLE_SETTINGS } from './sign-in.controller.ts';

const page = 'index.html';
/** Files below this folder have a hash of their content in their names. */
const assets = 'assets/';

/** `/console`: the page for operators and analysts. Its files hold no data; the page sends the credentials of its user to the API. */
@Controller('console')
export class ConsoleController {
  readonly #files = readConsole();
  readonly #policy: string;

  constructor(@Inject(CONSOLE_SETTINGS) { origins }: Pick<ConsoleSettings, 'origins'>) {
    this.#policy = consolePolicy(origins);
  }

  @Get()
  @OpenRoute()
  async home(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#send(page, request, reply);
  }

  /** A file, or the page: it shows the screen of any other path. */
  @Get('*')
  @OpenRoute()
  async file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const path = request.url.split('?', 1)[0]!.slice(consolePath.length + 1);
    await this.#send(this.#files.has(path) || path.startsWith(assets) ? path : page, request, reply);
  }

  async #send(path: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined) throw new ProblemError('not-found', { detail: notFound(path) });
    void reply
      .header('content-type', file.mediaType)
      .header('content-security-policy', this.#policy)
      .header('referrer-policy', 'no-referrer')
      .header('etag', file.etag)
      .header('vary', 'accept-encoding')
      .header('cache-control', file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    if (matchesTag(request.headers['if-none-match'], file.etag)) return void (await reply.status(304).send());
    const { coding, bytes } = codingFor(file, request.headers['accept-encoding']);
    if (coding !== undefined) void reply.header('content-encoding', coding);
    await reply.send(bytes);
  }
}

function notFound(path: string): string {
  return path === page
    ? 'The console is not built here: `npx nx build @millrace/console` builds it.'
    : `There is no ${consolePath}/${path} here.`;
}

import { createReadStream } from 'node:fs';
import { Controller, Get, Inject, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { ProblemError, RequireScope } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Board } from '../board/board.ts';
import { boardFiles, boardPath, boardPolicy } from '../board/board-page.ts';
import { QueryQueue } from '../queries/query-queue.ts';
import { QueryErrorInterceptor } from './query-error.interceptor.ts';
import type { QueryString } from './request-reading.ts';

/** `/admin/queues`: bull-board over the queues of the engines, for operators. It only reads. */
@Controller('admin/queues')
@RequireScope('admin')
@UseInterceptors(QueryErrorInterceptor)
export class BoardController {
  readonly #board = new Board();
  readonly #files = boardFiles();

  constructor(@Inject(QueryQueue) private readonly queue: Pick<QueryQueue, 'inspect'>) {}

  @Get(['', 'metrics-history', 'job-schedulers', 'queue/:queueName', 'queue/:queueName/:jobId'])
  async page(@Res() reply: FastifyReply): Promise<void> {
    await reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', boardPolicy)
      .header('cache-control', 'no-store')
      .send(this.#board.page);
  }

  @Get('static/*')
  async file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const path = pathOf(request);
    const file = this.#files.get(path.slice('/static/'.length));
    if (file === undefined) throw notFound(path);
    await reply.header('content-type', file.mediaType).header('cache-control', 'private, max-age=3600').send(createReadStream(file.path));
  }

  @Get('api/*')
  async api(@Query() query: QueryString, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const path = pathOf(request);
    const answer = await this.queue.inspect(async (queues) => await this.#board.read(path, query, queues));
    if (answer === undefined) throw notFound(path);
    await reply.status(answer.status).header('cache-control', 'no-store').send(answer.body);
  }
}

/** The path below that of the board. */
function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!.slice(boardPath.length);
}

function notFound(path: string): ProblemError {
  return new ProblemError('not-found', { detail: `There is no ${boardPath}${path} here.` });
}

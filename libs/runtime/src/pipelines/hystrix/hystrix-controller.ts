import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequireScope } from '../../auth/require-scope.ts';
import { HystrixStream } from './hystrix-stream.ts';

/** Endpoint for Hystrix dashboards and Turbine. */
@RequireScope('admin')
@Controller('hystrix.stream')
export class HystrixController {
  readonly #stream: HystrixStream;

  constructor(@Inject(HystrixStream) stream: HystrixStream) {
    this.#stream = stream;
  }

  @Get()
  async open(@Res() reply: FastifyReply): Promise<void> {
    const client = this.#stream.connect();
    await reply
      .header('content-type', 'text/event-stream;charset=UTF-8')
      .header('cache-control', 'no-cache, no-store, max-age=0, must-revalidate')
      .header('x-accel-buffering', 'no')
      .send(client);
  }
}

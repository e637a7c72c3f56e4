import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HealthRegistry } from './health-registry.ts';
import type { Liveness } from './readiness.ts';

/** Endpoints for supervisors: liveness and readiness. Neither needs credentials. */
@Controller('health')
export class HealthController {
  constructor(@Inject(HealthRegistry) private readonly health: HealthRegistry) {}

  /** Any answer proves liveness, because it needs the event loop. */
  @Get('live')
  live(): Liveness {
    return { status: 'alive', uptimeSeconds: Math.round(process.uptime()) };
  }

  @Get('ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const readiness = await this.health.readiness();
    const takesWork = readiness.status === 'ready' || readiness.status === 'degraded';
    await reply
      .code(takesWork ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(readiness);
  }
}

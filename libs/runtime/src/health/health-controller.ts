import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HealthRegistry } from './health-registry.ts';

/** What a supervisor asks: is the process alive, may it be given work? Neither answer needs credentials. */
@Controller('health')
export class HealthController {
  constructor(@Inject(HealthRegistry) private readonly health: HealthRegistry) {}

  /** An answer at all is the proof: it needs the event loop. */
  @Get('live')
  live(): { status: 'alive'; uptimeSeconds: number } {
    return { status: 'alive', uptimeSeconds: Math.round(process.uptime()) };
  }

  @Get('ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const readiness = await this.health.readiness();
    const takesWork = readiness.status === 'ready' || readiness.status === 'degraded';
    await reply.code(takesWork ? 200 : 503).header('cache-control', 'no-store').send(readiness);
  }
}

import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Options of CORS as Nest takes them. */
export type CorsOptions = Exclude<Parameters<NestFastifyApplication['enableCors']>[0], undefined | ((...given: never[]) => unknown)>;

/** Seconds for which a browser remembers the answer to a preflight. */
const preflightSecondsMax = 600;

/** CORS for some origins: any method and header of the services, no cookies, and the headers that a script needs. */
export function corsOptionsOf(origins: readonly string[]): CorsOptions {
  return {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE', 'PATCH'],
    exposedHeaders: ['Location', 'Retry-After', 'ETag', 'Idempotent-Replayed', 'Idempotency-Receipt'],
    credentials: false,
    maxAge: preflightSecondsMax,
  };
}

import { ndjsonMediaType, purchaseApiOf, type Stream, streams as allStreams } from '@millrace/contracts';
import { authFrom, Metrics, ProblemError, type ServiceOptions } from '@millrace/runtime';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest, RequestPayload } from 'fastify';
import type { Logger } from 'pino';
import { readNdjson } from './batch/ndjson-lines.ts';
import type { PurchaseConfig } from './config.ts';
import { limitCallers } from './protection/limit-callers.ts';
import { PurchaseModule } from './purchase.module.ts';

/** Whether a route takes batches. */
const isBatchRoute = (path: string | undefined): boolean => path?.endsWith('/batch') === true;

/** How the purchase API listens. @param streams Streams that it accepts. Default: every declared stream. */
export function serviceOptions(config: PurchaseConfig, logger: Logger, streams: readonly Stream[] = allStreams): ServiceOptions {
  const auth = authFrom(config);
  const isAuthenticated = auth.jwt !== undefined || auth.apiKeys !== undefined;
  return {
    name: 'purchase',
    module: PurchaseModule.of(config, logger, streams),
    host: config.PURCHASE_HOST,
    port: config.PURCHASE_PORT,
    logger,
    auth,
    api: purchaseApiOf(streams),
    admission: 'http',
    bodyBytesMax: config.PURCHASE_BODY_BYTES_MAX,
    largeBodies: {
      bytesMaxOf: (path) => (isBatchRoute(path) ? config.PURCHASE_BATCH_BYTES_MAX : undefined),
      heldBytesMax: config.PURCHASE_BATCH_BYTES_HELD_MAX,
    },
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
    ...(config.PURCHASE_CORS_ORIGINS === undefined ? {} : { corsOrigins: config.PURCHASE_CORS_ORIGINS }),
    configure: (app) => {
      parseNdjson(app, config.PURCHASE_BATCH_ITEMS_MAX);
      limitCallers(
        app.getHttpAdapter().getInstance(),
        {
          eventsPerSecond: config.PURCHASE_CALLER_EVENTS_PER_SECOND,
          requestsMax: isAuthenticated ? config.PURCHASE_CALLER_REQUESTS_MAX : undefined,
        },
        app.get(Metrics),
      );
    },
  };
}

function parseNdjson(app: NestFastifyApplication, itemsMax: number): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addContentTypeParser(ndjsonMediaType, async ({ routeOptions }: FastifyRequest, payload: RequestPayload) => {
    if (!isBatchRoute(routeOptions.url))
      throw new ProblemError('unsupported-media-type', {
        detail: `${ndjsonMediaType} is for batches. Send one purchase as application/json.`,
      });
    return await readNdjson(payload as AsyncIterable<Buffer>, { bytesMax: routeOptions.bodyLimit, itemsMax });
  });
}

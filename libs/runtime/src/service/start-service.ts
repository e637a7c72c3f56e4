import type { HttpApi } from '@millrace/contracts';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type AuthOptions, protect } from '../auth/protect.ts';
import { HealthRegistry } from '../health/health-registry.ts';
import { admitRequests } from '../http/admit-requests.ts';
import { corsOptionsOf } from '../http/cors-options.ts';
import { decodeBodies } from '../http/decode-body.ts';
import { drainOn } from '../http/drain.ts';
import { requireHost } from '../http/host-header.ts';
import { httpAdapter } from '../http/http-adapter.ts';
import { allowLargeBodies, type LargeBodies } from '../http/large-bodies.ts';
import { measureRequests } from '../http/measure-requests.ts';
import { ProblemFilter } from '../http/problem-filter.ts';
import { RequestTally } from '../http/request-tally.ts';
import { type Route, RouteTable } from '../http/route-table.ts';
import { secureAnswers } from '../http/secure-answers.ts';
import { NestLogger } from '../logging/nest-logger.ts';
import { Metrics } from '../metrics/metrics.ts';
import { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import { traceRequests } from '../tracing/trace-requests.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { Lifecycle } from './lifecycle.ts';
import { RuntimeModule } from './runtime-module.ts';

/** Options of {@link startService}. */
export interface ServiceOptions {
  /** Name of the service in logs, metrics and health. */
  readonly name: string;
  /** The app's composition root. */
  readonly module: Type | DynamicModule;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Port, 0–65,535; 0 takes any free one. */
  readonly port: number;
  /** Where the service, Nest and the pipelines write; see `createLogger`. */
  readonly logger: Logger;
  /** Accepted credentials; see `authFrom`. Default: authentication is off, and the start is refused unless `host` is loopback. */
  readonly auth?: AuthOptions;
  /** Routes of the app, for `/openapi.json` and `/docs`. The routes of the runtime are added. Default: the service has neither path. */
  readonly api?: HttpApi;
  /**
   * Name of the pipeline that every request passes before its body is read: it sheds load and refuses work whose deadline has passed.
   * Default: none.
   */
  readonly admission?: string;
  /** Largest request body in bytes, ≥ 1; a larger one is answered 413 `body-too-large`. Default 1 MiB. */
  readonly bodyBytesMax?: number;
  /** Routes with larger bodies. Default: `bodyBytesMax` holds for each route. */
  readonly largeBodies?: LargeBodies;
  /**
   * Origins, such as `https://shop.example`, whose pages may call the service from a browser. A preflight needs no credentials, and cookies
   * are never used. Default: none, and browsers refuse calls from other origins.
   */
  readonly corsOrigins?: readonly string[];
  /**
   * Time in which a request must be complete, head and body, in milliseconds, ≥ 1; then it is answered 408 `request-timeout`. Default
   * 30,000.
   */
  readonly requestMsMax?: number;
  /**
   * Time in milliseconds, ≥ 0, between the begin of a stop and the end of the listener. The service is then unready, still serves, and
   * closes each connection with its answer. Load balancers stop sending in this time. Default 0.
   */
  readonly drainDelayMs?: number;
  /**
   * Longest time of a stop after the drain delay, in milliseconds; then the process exits with 1 and work unfinished. Heeded by
   * `runService`. Default 30 000.
   */
  readonly shutdownMsMax?: number;
  /** Where spans begin: each request gets one. `runService` opens it and closes it after the stop. Default: tracing is off. */
  readonly tracing?: Tracing;
  /** Called before the service listens, to add parsers, filters and microservices. Its error fails the start. Default: nothing. */
  readonly configure?: (app: NestFastifyApplication) => void | Promise<void>;
}

/** A service that listens. */
export interface RunningService {
  /** The application, for its providers. */
  readonly app: NestFastifyApplication;
  /** `http://127.0.0.1:3001` */
  readonly url: string;
  /** All routes, those of the runtime included. */
  readonly routes: readonly Route[];
  /**
   * Stops the service. It becomes unready, waits for the drain delay, closes the listener, finishes the requests in flight, and runs Nest's
   * shutdown hooks in order. Calling it again waits for the same stop.
   * @throws Error when a hook failed: something was left undone
   */
  close(): Promise<void>;
}

/**
 * Starts a service inside this process. Signals and exit codes are {@link runService}'s.
 * @throws StartRefusedError when other machines could reach it without authentication, or a request could cost more attempts than the limit
 * @throws ConfigError when settings of pipelines contradict each other
 * @throws TypeError when there is no pipeline of the name in `admission`
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const {
    name,
    module,
    host = '127.0.0.1',
    port,
    logger,
    auth = {},
    bodyBytesMax = 1024 * 1024,
    requestMsMax = 30_000,
    drainDelayMs = 0,
  } = options;

  const { api, tracing } = options;
  @Module({
    imports: [
      RuntimeModule.forRoot({ name, logger, auth, ...(api === undefined ? {} : { api }), ...(tracing === undefined ? {} : { tracing }) }),
      module,
    ],
  })
  class ServiceRoot {}

  const limits = { bodyBytesMax, requestMsMax };
  const requests = new RequestTally();
  const adapter = httpAdapter(limits, requests);
  const fastify = adapter.getInstance();
  const routes = new RouteTable();
  fastify.addHook('onRoute', (route) => routes.add(route.url, [route.method].flat()));

  const nestLogger = new NestLogger(logger);
  const app = await NestFactory.create<NestFastifyApplication>(ServiceRoot, adapter, {
    logger: nestLogger,
    bodyParser: false,
    abortOnError: false,
  });
  secureAnswers(fastify);
  measureRequests(fastify, requests, app.get(Metrics), logger);
  if (tracing !== undefined) traceRequests(fastify, requests, tracing);
  requireHost(fastify);
  drainOn(fastify, app.get(Lifecycle));
  app.useGlobalFilters(new ProblemFilter(logger, routes, requests));

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      const lifecycle = app.get(Lifecycle);
      app.get(HealthRegistry).stop();
      lifecycle.drain();
      if (drainDelayMs > 0 && fastify.server.listening) await delay(drainDelayMs);
      lifecycle.stop();
      // Before Nest's own order, which would destroy modules while requests that need them are still in flight.
      await fastify.close();
      const told = nestLogger.errors;
      await app.close();
      // Nest logs an error of a hook and continues as if the hook had succeeded.
      if (nestLogger.errors > told) throw new Error('A part of the service did not stop. The previous line has the error.');
    })();
    return closing;
  };

  try {
    if (options.corsOrigins !== undefined && options.corsOrigins.length > 0) app.enableCors(corsOptionsOf(options.corsOrigins));
    if (options.admission !== undefined) admitRequests(fastify, app.get(PipelineRegistry).get(options.admission), requests);
    protect(app, auth, host);
    decodeBodies(fastify);
    if (options.largeBodies !== undefined) allowLargeBodies(fastify, options.largeBodies);
    await options.configure?.(app);
    await app.listen({ port, host });
  } catch (error) {
    await close().catch((second: unknown) => logger.error({ err: second }, 'Cleaning up after a failed start failed, too.'));
    throw error;
  }
  const url = urlOf(app.getHttpServer().address() as AddressInfo);
  logger.info({ url }, `The ${name} service listens on ${url}.`);
  return { app, url, routes: routes.list(), close };
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

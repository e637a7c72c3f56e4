import type { Logger } from 'pino';
import { kubernetesVariablesOf } from '../config/kubernetes-variables.ts';
import { ConfigError, StartRefusedError } from '../errors.ts';
import { openTracing } from '../tracing/open-tracing.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { type RunningService, type ServiceOptions, startService } from './start-service.ts';

/** Exit codes of a service. 78 is `EX_CONFIG` of sysexits.h. */
export const exitCodes = { clean: 0, failed: 1, configInvalid: 78 } as const;

/** Longest export of the last spans at a stop, in milliseconds. */
const flushMsMax = 3000;

/** The part of `process` that {@link runService} uses. */
export interface ProcessHandle {
  /** Listens for signals. */
  on(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  /** Listens for uncaught errors. */
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
  /** Ends the process with one of {@link exitCodes}. */
  exit(code: number): void;
  /** The environment: the variables `OTEL_…` turn tracing on, and those of Kubernetes are named in the log. Default: empty. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Output for the reason of a refused start. */
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs a service as the process: starts it, stops it cleanly on SIGTERM or SIGINT and exits with 0. A second signal exits at once with 1;
 * so does a stop that takes longer than `shutdownMsMax` after the drain delay, a start that fails, and an uncaught error. Spans are
 * exported as the standard variables `OTEL_…` say; the last ones within the time of the stop.
 */
export async function runService(options: ServiceOptions, host: ProcessHandle = process): Promise<RunningService | undefined> {
  const { logger, shutdownMsMax = 30_000, drainDelayMs = 0 } = options;
  const ignored = kubernetesVariablesOf(host.env ?? {});
  if (ignored.length > 0) logger.debug({ variables: ignored }, 'Ignored the variables that Kubernetes sets for Services.');
  let service: RunningService | undefined;
  let tracing: Tracing | undefined;
  let stopping = false;

  const fail = (error: unknown, sentence: string): void => {
    logger.fatal({ err: error }, sentence);
    host.exit(exitCodes.failed);
  };
  const stop = async (signal: string): Promise<void> => {
    if (stopping) {
      logger.warn({ signal }, `Got ${signal} a second time: exiting at once.`);
      host.exit(exitCodes.failed);
      return;
    }
    stopping = true;
    logger.info({ signal, drainDelayMs, shutdownMsMax }, `Got ${signal}: stopping.`);
    const stopMsMax = drainDelayMs + shutdownMsMax;
    const endMs = performance.now() + stopMsMax;
    const overrun = setTimeout(() => {
      logger.error({ shutdownMsMax }, `Stopping took longer than ${shutdownMsMax} ms: exiting with work unfinished.`);
      host.exit(exitCodes.failed);
    }, stopMsMax);
    try {
      await service?.close();
      // The work is done: spans that the collector does not take in time do not make the stop a failure.
      clearTimeout(overrun);
      await tracing?.close(Math.min(flushMsMax, Math.max(0, endMs - performance.now())));
      logger.info('Stopped.');
      host.exit(exitCodes.clean);
    } catch (error) {
      fail(error, 'Stopping failed.');
    } finally {
      clearTimeout(overrun);
    }
  };

  host.on('SIGTERM', () => void stop('SIGTERM'));
  host.on('SIGINT', () => void stop('SIGINT'));
  host.on('uncaughtException', (error: unknown) => fail(error, 'An exception was not caught: the process exits.'));
  host.on('unhandledRejection', (error: unknown) => fail(error, 'A rejected promise was not handled: the process exits.'));

  try {
    tracing = options.tracing ?? (await openTracing(options.name, host.env ?? {}, logger));
    service = await startService(tracing === undefined ? options : { ...options, tracing });
    return service;
  } catch (error) {
    exitOnStartError(error, host, logger);
    return undefined;
  }
}

/**
 * Runs `main`, which reads the settings and then calls {@link runService}. Settings that cannot be used are printed on standard
 * error, every one in a plain sentence, and the process exits with 78; any other error at start exits with 1.
 */
export async function runMain(main: () => Promise<unknown>, host: ProcessHandle = process): Promise<void> {
  try {
    await main();
  } catch (error) {
    exitOnStartError(error, host);
  }
}

function exitOnStartError(error: unknown, host: ProcessHandle, logger?: Logger): void {
  if (error instanceof ConfigError) {
    host.stderr.write(`${error.message}\n`);
    host.exit(exitCodes.configInvalid);
  } else if (error instanceof StartRefusedError) {
    host.stderr.write(`The service refuses to start: ${error.message}\n`);
    host.exit(exitCodes.configInvalid);
  } else if (logger === undefined) {
    host.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    host.exit(exitCodes.failed);
  } else {
    logger.fatal({ err: error }, startFailureOf(error));
    host.exit(exitCodes.failed);
  }
}

function startFailureOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'The service cannot start: its port is taken by another process.';
  if (code === 'EACCES') return 'The service cannot start: this user may not listen on its port.';
  return 'The service cannot start.';
}

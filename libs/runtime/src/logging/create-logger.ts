import { type DestinationStream, type Logger, type LoggerOptions, destination, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import { redactText, redactedPaths } from './redact.ts';

/** Minimum level of the lines that are written. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Options of {@link createLogger}. */
export interface CreateLoggerOptions {
  /** Name of the service; on each line as `service`. */
  readonly name: string;
  /** Minimum level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** Where lines go. Default: standard output, as JSON, or in colour when that is a terminal. */
  readonly stream?: DestinationStream;
}

/**
 * Makes the logger of a process: one JSON object a line, a sentence as `msg`, facts as fields. WARN means that nothing was
 * lost, ERROR that an operator is needed. Secrets are removed from fields by name and from each line by pattern.
 */
export function createLogger(options: CreateLoggerOptions): Logger {
  const settings: LoggerOptions = {
    level: options.level ?? 'info',
    base: { service: options.name, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: [...redactedPaths], censor: '[redacted]' },
    hooks: { streamWrite: redactText },
  };
  return pino(settings, options.stream ?? standardOutput());
}

function standardOutput(): DestinationStream {
  if (process.stdout.isTTY) return pretty({ sync: true, ignore: 'pid,service', translateTime: 'SYS:HH:MM:ss.l' });
  return destination({ dest: 1, sync: true });
}

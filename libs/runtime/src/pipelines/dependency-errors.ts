import type { Logger } from 'pino';
import { redactText } from '../logging/redact.ts';
import type { PipelineRegistry } from './pipeline-registry.ts';

/** Shortest time between two log messages about one dependency, in milliseconds. */
const reportEveryMs = 60_000;

/** Maximum length of an error description. */
const charsMax = 500;

/**
 * Stores the last error of each dependency, because an open circuit makes no call that would show it. Logs errors that do not pass by
 * themselves, once a minute per dependency.
 */
export class DependencyErrors {
  readonly #registry: Pick<PipelineRegistry, 'observe' | 'remedyOf'>;
  readonly #logger: Pick<Logger, 'error'>;
  readonly #now: () => number;
  readonly #last = new Map<string, string>();
  readonly #reportedMs = new Map<string, number>();

  /**
   * @param registry Registry of the observed pipelines.
   * @param now Returns epoch milliseconds.
   */
  constructor(registry: Pick<PipelineRegistry, 'observe' | 'remedyOf'>, logger: Pick<Logger, 'error'>, now: () => number = Date.now) {
    this.#registry = registry;
    this.#logger = logger;
    this.#now = now;
    registry.observe(({ name, dependency, events }) => {
      events.on('AttemptFinished', ({ result, errorClass, error }) => {
        if (result === 'succeeded') this.#last.delete(name);
        else if (result === 'failed' || result === 'timed-out') this.#onFailure(name, dependency, errorClass === 'invalid', error);
      });
    });
  }

  /** Description of the last failure behind a pipeline, without secrets; undefined without a failure since the last answer. */
  lastError(pipeline: string): string | undefined {
    return this.#last.get(pipeline);
  }

  #onFailure(pipeline: string, dependency: string, answered: boolean, error: unknown): void {
    const remedy = this.#registry.remedyOf?.(error);
    // An answer such as "the key exists" is not a failure of the dependency.
    if (answered && remedy === undefined) return;
    const description = describeError(error);
    this.#last.set(pipeline, description);
    if (remedy === undefined || this.#now() - (this.#reportedMs.get(dependency) ?? -Infinity) < reportEveryMs) return;
    this.#reportedMs.set(dependency, this.#now());
    this.#logger.error(
      { dependency, err: error },
      `${dependency} rejects calls and will not recover by itself: ${description.replace(/\.$/, '')}. Remedy: ${remedy}.`,
    );
  }
}

/** Joins the messages of an error and its causes. Skips a message that another one contains. Redacts secrets. */
export function describeError(error: unknown): string {
  const messages: string[] = [];
  for (let next: unknown = error, depth = 0; next !== undefined && next !== null && depth < 4; depth += 1) {
    const message = readMessage(next);
    if (!messages.some((other) => other.includes(message))) messages.push(message);
    next = next instanceof Error ? next.cause : undefined;
  }
  const all = messages.reduce((before, message) => appendToSentence(before, ': ', message));
  return redactText(all.slice(0, charsMax));
}

/** Appends a text to a sentence without its full stop. */
export function appendToSentence(sentence: string, separator: ': ' | '; ', rest: string): string {
  return `${sentence.replace(/\.$/, '')}${separator}${rest}`;
}

/** Reads the message. Errors of failed connections often have an empty one and carry the facts in `code` or in aggregated errors. */
function readMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : undefined;
  if (first instanceof Error && first.message !== '') return first.message;
  return 'code' in error ? String(error.code) : error.name;
}

import type { Logger } from 'pino';
import { redactText } from '../logging/redact.ts';
import type { PipelineRegistry } from './pipeline-registry.ts';

/** Tells what an operator has to do about an error that waiting does not mend; undefined for every other error. */
export type RemedyOf = (error: unknown) => string | undefined;

/** How often one dependency's refusal is logged, in milliseconds. */
const reportEveryMs = 60_000;

// Longer words of a dependency are cut.
const charsMax = 500;

/**
 * Keeps the last words of each dependency, for the time when an open circuit asks it nothing. Reports errors that waiting does not mend, once
 * a minute for each dependency.
 */
export class DependencyErrors {
  readonly #registry: Pick<PipelineRegistry, 'observe' | 'remedyOf'>;
  readonly #logger: Pick<Logger, 'error'>;
  readonly #now: () => number;
  readonly #last = new Map<string, string>();
  readonly #reportedMs = new Map<string, number>();

  /**
   * @param registry the pipelines to listen to
   * @param now milliseconds since the epoch
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

  /** The words of the last failure of a pipeline's dependency, secrets taken out; undefined when it answered since, or never failed. */
  lastOf(pipeline: string): string | undefined {
    return this.#last.get(pipeline);
  }

  #onFailure(pipeline: string, dependency: string, answered: boolean, error: unknown): void {
    const remedy = this.#registry.remedyOf?.(error);
    // An answer such as "the key exists" is no failure of the dependency.
    if (answered && remedy === undefined) return;
    const words = wordsOf(error);
    this.#last.set(pipeline, words);
    if (remedy === undefined || this.#now() - (this.#reportedMs.get(dependency) ?? -Infinity) < reportEveryMs) return;
    this.#reportedMs.set(dependency, this.#now());
    this.#logger.error({ dependency, err: error }, `${dependency} refuses, and waiting does not mend it: ${words}. What to do: ${remedy}.`);
  }
}

/** An error's message with those of its causes, as far as they say more. */
export function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let next: unknown = error, depth = 0; next !== undefined && next !== null && depth < 4; depth += 1) {
    const text = textOf(next);
    if (!words.some((word) => word.includes(text))) words.push(text);
    next = next instanceof Error ? next.cause : undefined;
  }
  const all = words.reduce((before, word) => followedBy(before, ': ', word));
  return redactText(all.slice(0, charsMax));
}

/** One sentence that goes on: without its full stop. */
export function followedBy(sentence: string, separator: ': ' | '; ', rest: string): string {
  return `${sentence.replace(/\.$/, '')}${separator}${rest}`;
}

/** Errors of failed connections often carry their facts in `code` or in the errors they aggregate, and an empty message. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : undefined;
  if (first instanceof Error && first.message !== '') return first.message;
  return 'code' in error ? String(error.code) : error.name;
}

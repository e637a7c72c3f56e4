import type { CallOptions } from '../call/call-options.ts';
import type { Outcome } from '../call/outcome.ts';
import type { AttemptContext } from '../call/work.ts';
import type { Pipeline } from './pipeline.ts';

/** A pipeline of any spec. A command declares the options of its calls itself. */
type AnyPipeline = Pick<Pipeline, 'name' | 'executeOutcome'>;

/**
 * One call to a dependency as an object, for users of Hystrix. Create a subclass and implement {@link run}. Override
 * {@link getFallback} and {@link cacheKey} if you need them. All policies are those of the given pipeline.
 * Create a new command for each execution.
 *
 * @example
 * ```ts
 * class LookUpRate extends Command<number> {
 *   readonly #country: string;
 *   constructor(country: string) { super(rates); this.#country = country; }
 *   protected run({ signal }: AttemptContext) { return fetchRate(this.#country, signal); }
 *   protected override getFallback() { return 1; }
 *   protected override cacheKey() { return this.#country; }
 * }
 * const rate = await new LookUpRate('NL').execute();
 * ```
 */
export abstract class Command<T> {
  readonly #pipeline: AnyPipeline;
  readonly #options: Omit<CallOptions, 'key'>;
  #executed = false;

  /** @param pipeline Provides the policies. Its own fallbacks precede {@link getFallback}. */
  protected constructor(pipeline: AnyPipeline, options: Omit<CallOptions, 'key'> = {}) {
    this.#pipeline = pipeline;
    this.#options = options;
  }

  /** The work. It may run several times if the command is idempotent. */
  protected abstract run(context: AttemptContext): T | PromiseLike<T>;

  /**
   * Returns an answer when the work failed or the pipeline rejected it. It is the last fallback of the call. It is not called after
   * an abort or for an `invalid` request.
   * @throws any error; the command then ends with the error that needed the fallback
   */
  protected getFallback(error: unknown): T | PromiseLike<T> {
    throw error;
  }

  /** Key under which a pipeline with a cache caches and shares the answer. Default: none. */
  protected cacheKey(): string | undefined {
    return undefined;
  }

  /**
   * Runs the work under all policies.
   * @throws TypeError when the command was executed before
   * @throws as {@link Pipeline.execute} does, if there is no fallback
   */
  async execute(): Promise<T> {
    const outcome = await this.executeOutcome();
    if ('value' in outcome) return outcome.value;
    throw outcome.error;
  }

  /**
   * Does the same and returns the result as a value. {@link getFallback} appears in it as a `stub`.
   * @throws TypeError when the command was executed before
   */
  async executeOutcome(): Promise<Outcome<T>> {
    const pipeline = this.#pipeline;
    if (this.#executed) throw new TypeError(`A command of the pipeline "${pipeline.name}" was executed twice; create a new one.`);
    this.#executed = true;
    const stub = this.getFallback === Command.prototype.getFallback ? undefined : (error: unknown) => this.getFallback(error);
    let key: string | undefined;
    try {
      key = this.cacheKey();
    } catch (error) {
      return { result: 'failed', error, attempts: 0 };
    }
    const options = { ...this.#options, key, idempotent: this.#options.idempotent === true, stub };
    return (await pipeline.executeOutcome<T>((context) => this.run(context), options)) as Outcome<T>;
  }
}

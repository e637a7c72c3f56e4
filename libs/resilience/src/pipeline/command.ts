import type { Outcome } from '../call/outcome.ts';
import type { AttemptContext, CallOptions, Pipeline } from './pipeline.ts';

/** A pipeline of any spec; a command declares the options itself. */
type AnyPipeline = Pick<Pipeline, 'name' | 'executeOutcome'>;

/**
 * One call to a dependency as an object, in the manner of Hystrix: subclass it, implement {@link run}, and override {@link getFallback} and {@link cacheKey} where they make sense.
 * The circuit and all other policies are those of the pipeline it is given. A command is made for one execution.
 *
 * ```ts
 * class LookUpRate extends Command<number> {
 *   constructor(private readonly country: string) { super(rates); }
 *   protected run({ signal }: AttemptContext) { return fetchRate(this.country, signal); }
 *   protected override getFallback() { return 1; }
 *   protected override cacheKey() { return this.country; }
 * }
 * ```
 */
export abstract class Command<T> {
  private executed = false;

  /** @param pipeline Its policies. Fallbacks that it declares come before {@link getFallback}. */
  protected constructor(
    private readonly pipeline: AnyPipeline,
    private readonly options: Omit<CallOptions, 'key'> = {},
  ) {}

  /** The work. It may run several times when the command is idempotent. */
  protected abstract run(context: AttemptContext): T | PromiseLike<T>;

  /**
   * The answer when the work has failed or was refused: the last of the pipeline's fallbacks. Not asked when the caller has given up or the request was wrong (`invalid`).
   * @throws the command then ends with the error it was for
   */
  protected getFallback(error: unknown): T | PromiseLike<T> {
    throw error;
  }

  /** What the answer is kept and shared by, within a pipeline that has a cache. Default: it is not. */
  protected cacheKey(): string | undefined {
    return undefined;
  }

  /**
   * Does the work under all policies.
   * @throws TypeError when the command was executed before
   * @throws as {@link Pipeline.execute} does, if there is no fallback
   */
  async execute(): Promise<T> {
    const outcome = await this.executeOutcome();
    if ('value' in outcome) return outcome.value;
    throw outcome.error;
  }

  /** The same, told as a value; {@link getFallback} is told as a `stub`. @throws TypeError when the command was executed before */
  async executeOutcome(): Promise<Outcome<T>> {
    if (this.executed) throw new TypeError(`A command of the pipeline "${this.pipeline.name}" was executed twice; make a new one.`);
    this.executed = true;
    const stub = this.getFallback === Command.prototype.getFallback ? undefined : (error: unknown) => this.getFallback(error);
    let key: string | undefined;
    try {
      key = this.cacheKey();
    } catch (error) {
      return { result: 'failed', error, attempts: 0 };
    }
    const outcome = await this.pipeline.executeOutcome<T>((context) => this.run(context), { ...this.options, key, idempotent: this.options.idempotent === true, stub });
    return outcome as Outcome<T>;
  }
}

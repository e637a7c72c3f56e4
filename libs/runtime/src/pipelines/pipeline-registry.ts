import type { Pipeline } from '@millrace/resilience';
import type { CallPaths } from './call-paths.ts';

/** Hears of each pipeline once. */
export type PipelineObserver = (pipeline: Pipeline) => void;

/** Every named pipeline of the process: what telemetry, health, the admin endpoint and the Hystrix stream look at. */
export class PipelineRegistry {
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #observers = new Set<PipelineObserver>();
  /** What one request may cost, once it has been counted; a change at run time must keep to it. */
  callPaths: CallPaths | undefined;
  /** Names of pipelines whose `breaker.slowMs` nobody has set: it is half of `timeout.attemptMs`, whatever that becomes. */
  readonly slowMsDerived = new Set<string>();

  /**
   * Adds a pipeline and gives it back.
   * @throws TypeError when the name is taken: two circuits of one name would hide each other.
   */
  register<P extends Pipeline>(pipeline: P): P {
    if (this.#pipelines.has(pipeline.name)) throw new TypeError(`A pipeline named "${pipeline.name}" is registered already.`);
    this.#pipelines.set(pipeline.name, pipeline);
    for (const observer of this.#observers) observer(pipeline);
    return pipeline;
  }

  /** @throws TypeError when there is none of that name. */
  get(name: string): Pipeline {
    const pipeline = this.find(name);
    if (pipeline === undefined) throw new TypeError(`There is no pipeline named "${name}"; there are ${[...this.#pipelines.keys()].join(', ') || 'none'}.`);
    return pipeline;
  }

  /** The pipeline of that name, or undefined. */
  find(name: string): Pipeline | undefined {
    return this.#pipelines.get(name);
  }

  /** All pipelines, by name. */
  list(): readonly Pipeline[] {
    return [...this.#pipelines.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Calls back for every pipeline that is here and for each that comes. */
  observe(observer: PipelineObserver): void {
    this.#observers.add(observer);
    for (const pipeline of this.#pipelines.values()) observer(pipeline);
  }
}

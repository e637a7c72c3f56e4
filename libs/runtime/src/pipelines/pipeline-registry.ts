import type { Pipeline } from '@millrace/resilience';
import type { CallPaths, SettingsOf } from './call-paths.ts';

/** A rule of an app about settings of its pipelines. Returns one sentence for each problem. */
export type PipelineRule = (settingsOf: SettingsOf) => readonly string[];

/** Returns the remedy for an error that does not pass by itself; undefined for every other error. */
export type RemedyOf = (error: unknown) => string | undefined;

/** Gets each pipeline once. */
export type PipelineObserver = (pipeline: Pipeline) => void;

/** All named pipelines of the process. Telemetry, health, the admin endpoint and the Hystrix stream use it. */
export class PipelineRegistry {
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #observers = new Set<PipelineObserver>();
  /** Call paths with the limit of attempts per request, after the start. A change at run time must keep the limit. */
  callPaths: CallPaths | undefined;
  /** Further rules about settings. A change at run time must keep them. */
  readonly rules: PipelineRule[] = [];
  /** Returns remedies for errors that do not pass by themselves. Default: no error has one. */
  remedyOf: RemedyOf | undefined;

  /**
   * Adds a pipeline and returns it.
   * @throws TypeError when the name is taken: two pipelines of one name would hide each other
   */
  register<P extends Pipeline>(pipeline: P): P {
    if (this.#pipelines.has(pipeline.name)) throw new TypeError(`A pipeline named "${pipeline.name}" is registered already.`);
    this.#pipelines.set(pipeline.name, pipeline);
    for (const observer of this.#observers) observer(pipeline);
    return pipeline;
  }

  /** @throws TypeError when no pipeline has that name */
  get(name: string): Pipeline {
    const pipeline = this.find(name);
    if (pipeline === undefined)
      throw new TypeError(`Unknown pipeline "${name}". Registered pipelines: ${[...this.#pipelines.keys()].join(', ') || '(none)'}.`);
    return pipeline;
  }

  /** Returns the pipeline of that name, or undefined. */
  find(name: string): Pipeline | undefined {
    return this.#pipelines.get(name);
  }

  /** Lists all pipelines in the order of their names. */
  list(): readonly Pipeline[] {
    return [...this.#pipelines.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Calls the observer for every current and future pipeline. */
  observe(observer: PipelineObserver): void {
    this.#observers.add(observer);
    for (const pipeline of this.#pipelines.values()) observer(pipeline);
  }
}

import type { Pipeline } from '@millrace/resilience';
import type { CallPaths, SettingsOf } from './call-paths.ts';
import type { RemedyOf } from './dependency-errors.ts';

/** A rule of an app between settings of its pipelines and others: one sentence for each thing that is wrong. */
export type PipelineRule = (settingsOf: SettingsOf) => readonly string[];

/** Hears of each pipeline once. */
export type PipelineObserver = (pipeline: Pipeline) => void;

/** Every named pipeline of the process: what telemetry, health, the admin endpoint and the Hystrix stream look at. */
export class PipelineRegistry {
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #observers = new Set<PipelineObserver>();
  /** What one request may cost, once it has been counted; a change at run time must keep to it. */
  callPaths: CallPaths | undefined;
  /** What else must hold between settings; a change at run time must keep to it, too. */
  readonly rules: PipelineRule[] = [];
  /** Tells what to do about an error that waiting does not mend. Default: no error is one. */
  remedyOf: RemedyOf | undefined;

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

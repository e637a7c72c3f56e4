/** The least a pipeline of `@millrace/resilience` must have to be listed. */
export interface NamedPipeline {
  readonly name: string;
}

/** Every named pipeline of the process: what telemetry, the admin endpoint and health look at. */
export class PipelineRegistry {
  private readonly pipelines = new Map<string, NamedPipeline>();

  /**
   * Adds a pipeline and gives it back.
   * @throws TypeError when the name is taken: two circuits of one name would hide each other.
   */
  register<P extends NamedPipeline>(pipeline: P): P {
    if (this.pipelines.has(pipeline.name)) throw new TypeError(`A pipeline named "${pipeline.name}" is registered already.`);
    this.pipelines.set(pipeline.name, pipeline);
    return pipeline;
  }

  /** @throws TypeError when there is none of that name. */
  get(name: string): NamedPipeline {
    const pipeline = this.pipelines.get(name);
    if (pipeline === undefined) throw new TypeError(`There is no pipeline named "${name}"; there are ${[...this.pipelines.keys()].join(', ') || 'none'}.`);
    return pipeline;
  }

  /** All pipelines, by name. */
  list(): readonly NamedPipeline[] {
    return [...this.pipelines.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

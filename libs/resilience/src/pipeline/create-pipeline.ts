import type { Pipeline, PipelineDeps } from './pipeline.ts';
import { PolicyPipeline } from './policy-pipeline.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';

/**
 * Makes a pipeline.
 * @throws PipelineSettingsError when the spec is out of range or contradicts itself
 */
export function createPipeline<const S extends PipelineSpec>(spec: S, deps: PipelineDeps = {}): Pipeline<S> {
  return new PolicyPipeline(spec, deps) as unknown as Pipeline<S>;
}

import type { PipelineSpec } from '../settings/pipeline-spec.ts';
import type { Pipeline, PipelineDeps } from './pipeline.ts';
import { PolicyPipeline } from './policy-pipeline.ts';

/**
 * Creates a pipeline. Create one per dependency and reuse it: its breaker, bulkhead and cache hold state.
 * @throws PipelineSettingsError when the spec is out of range or contradicts itself
 */
export function createPipeline<const S extends PipelineSpec>(spec: S, deps: PipelineDeps = {}): Pipeline<S> {
  return new PolicyPipeline(spec, deps) as unknown as Pipeline<S>;
}

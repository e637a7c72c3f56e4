import type { PipelineSpec } from './pipeline-spec.ts';

/** Most attempts of one call, when the spec leaves it open. */
export const attemptsMaxDefault = 3;

/** Most attempts that one call of this pipeline can make. Multiply it along a chain of pipelines and clients that retry: it is what one request can cost. */
export function attemptsMax(spec: Pick<PipelineSpec, 'retry'>): number {
  return spec.retry === undefined ? 1 : (spec.retry.attemptsMax ?? attemptsMaxDefault);
}

import { retryDefaults } from './defaults.ts';
import type { PipelineSpec } from './pipeline-spec.ts';

/**
 * Maximum number of attempts that one call of this pipeline can make. Multiply the numbers of nested pipelines and of clients
 * that retry: the product is the maximum cost of one request.
 */
export function attemptsMax(spec: Pick<PipelineSpec, 'retry'>): number {
  return spec.retry === undefined ? 1 : (spec.retry.attemptsMax ?? retryDefaults.attemptsMax);
}

import type { PipelineSnapshot } from '@millrace/resilience';
import type { HealthRegistry } from '../health/health-registry.ts';
import type { PipelineRegistry } from './pipeline-registry.ts';

/**
 * Shows every circuit in `/health/ready`, as `circuit-<name>`. An open circuit makes the service degraded, not unready: fallbacks
 * answer, and a required dependency has its own check.
 *
 * @param lastErrorOf Returns the last error of a dependency by the name of a pipeline, because an open circuit makes no new call.
 */
export function checkPipelines(
  registry: PipelineRegistry,
  health: HealthRegistry,
  lastErrorOf: (pipeline: string) => string | undefined = () => undefined,
): void {
  registry.observe((pipeline) => {
    if (pipeline.snapshot().breaker === undefined) return;
    health.register(`circuit-${pipeline.name}`, {
      required: false,
      check: async () => {
        const problem = circuitProblem(pipeline.snapshot());
        if (problem === undefined) return;
        const last = lastErrorOf(pipeline.name);
        throw new Error(last === undefined ? problem : `${problem}; the last error: ${last}`);
      },
    });
  });
}

/** Returns the reason why calls to the dependency are rejected now, or undefined if they are not. */
function circuitProblem({ dependency, breaker }: PipelineSnapshot): string | undefined {
  if (breaker?.mode === 'forced-open') return `calls to ${dependency} are rejected: an operator opened the circuit`;
  if (breaker?.mode !== 'auto') return undefined;
  // The break duration is over and no call has followed, so no call is rejected either.
  if (breaker.state === 'half-open' && breaker.retryAfterMs === 0) return undefined;
  if (breaker.state === 'half-open') return `calls to ${dependency} are rejected except probes: the circuit is half open`;
  if (breaker.state !== 'open') return undefined;
  return `calls to ${dependency} are rejected: the circuit is open and probes in ${Math.ceil((breaker.retryAfterMs ?? 0) / 1000)} s`;
}

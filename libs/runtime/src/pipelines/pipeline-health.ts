import type { PipelineSnapshot } from '@millrace/resilience';
import type { HealthRegistry } from '../health/health-registry.ts';
import type { PipelineRegistry } from './pipeline-registry.ts';

/**
 * Shows every circuit in `/health/ready`, as `circuit-<name>`. An open one makes the service degraded, not unready: its fallbacks answer, and what cannot do
 * without the dependency has a check of its own.
 *
 * @param lastErrorOf the dependency's last words by the name of a pipeline: an open circuit asks it nothing
 */
export function checkPipelines(registry: PipelineRegistry, health: HealthRegistry, lastErrorOf: (pipeline: string) => string | undefined = () => undefined): void {
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

/** Why calls to the dependency are refused now; undefined when they are not. */
function circuitProblem({ dependency, breaker }: PipelineSnapshot): string | undefined {
  if (breaker?.mode === 'forced-open') return `calls to ${dependency} are refused: the circuit was opened by hand`;
  if (breaker?.mode !== 'auto') return undefined;
  // Its open time is over and nobody has called since: nobody is refused either.
  if (breaker.state === 'half-open' && breaker.retryAfterMs === 0) return undefined;
  if (breaker.state === 'half-open') return `calls to ${dependency} are refused but for probes: the circuit is half open`;
  if (breaker.state !== 'open') return undefined;
  return `calls to ${dependency} are refused: the circuit is open, it probes in ${Math.ceil((breaker.retryAfterMs ?? 0) / 1000)} s`;
}

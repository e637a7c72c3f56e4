import type { PipelineEvent, PipelineEventOf } from '@millrace/resilience';
import type { Logger } from 'pino';
import type { PipelineRegistry } from '../pipeline-registry.ts';

/** Writes a line for what an operator wants to read later. What happens with every call is counted, not logged. */
export function logPipelines(registry: PipelineRegistry, logger: Logger): void {
  registry.observe(({ name, events }) => {
    events.on('CircuitOpened', (event) => logger.warn(fieldsOf(event), `The circuit ${name} opened: ${reasonOf(event)}.`));
    events.on('CircuitHalfOpened', (event) => logger.info(fieldsOf(event), `The circuit ${name} probes with ${event.probes} calls.`));
    events.on('CircuitClosed', (event) => logger.info(fieldsOf(event), `The circuit ${name} closed${event.reason === 'forced' ? ' by hand' : ': its probes succeeded'}.`));
    events.on('CircuitModeChanged', (event) => logger.warn(fieldsOf(event), `The circuit ${name} was set to ${event.mode} by hand.`));
    // Not as `level`, which is the severity of the line.
    events.on('ShedLevelChanged', ({ level, ...event }) => logger.warn({ ...fieldsOf(event), shedLevel: level }, level === 0 ? `${name} sheds no load any more.` : `${name} sheds load: level ${level} of 3.`));
    events.on('FallbackFailed', ({ error, ...event }) => logger.debug({ ...fieldsOf(event), err: error }, `The fallback "${event.kind}" of ${name} did not help.`));
    events.on('RetryScheduled', ({ error, ...event }) => logger.debug({ ...fieldsOf(event), err: error }, `A call of ${name} is tried again in ${Math.round(event.waitMs)} ms.`));
    events.on('WorkAbandoned', (event) => logger.debug(fieldsOf(event), `Work of ${name} goes on though nobody waits for it; ${event.zombies} do.`));
    events.on('QueueReplayed', (event) => logger.info(fieldsOf(event), `The queue of ${name} was replayed: ${event.replayed} done, ${event.kept} left.`));
    events.on('ChaosInjected', (event) => logger.debug(fieldsOf(event), `A ${event.kind} was injected into ${name}.`));
    events.on('SettingsChanged', (event) => logger.warn(fieldsOf(event), `Settings of the pipeline ${name} were changed: ${event.changed.join(', ')}.`));
  });
}

function fieldsOf({ atMs: _atMs, ...fields }: Partial<PipelineEvent>): object {
  return fields;
}

function reasonOf({ reason, failureRatio, slowCallRatio, calls, breakDurationMs }: PipelineEventOf<'CircuitOpened'>): string {
  const again = breakDurationMs === undefined ? '' : `; it probes in ${Math.round(breakDurationMs)} ms`;
  switch (reason) {
    case 'failures':
      return `${Math.round(failureRatio * 100)} % of ${calls} attempts failed${again}`;
    case 'slowness':
      return `${Math.round(slowCallRatio * 100)} % of ${calls} attempts were slow${again}`;
    case 'probe-failed':
      return `a probe failed${again}`;
    case 'forced':
      return 'by hand';
  }
}

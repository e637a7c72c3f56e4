import type { PipelineEvent, PipelineEventOf } from '@millrace/resilience';
import type { Logger } from 'pino';
import type { PipelineRegistry } from '../pipeline-registry.ts';

/** Logs changes of circuits, load shedding and settings. Events of single calls are only counted or logged at debug level. */
export function logPipelines(registry: PipelineRegistry, logger: Logger): void {
  registry.observe(({ name, events }) => {
    events.on('CircuitOpened', (event) => logger.warn(fieldsOf(event), `The circuit ${name} opened: ${reasonOf(event)}.`));
    events.on('CircuitHalfOpened', (event) => logger.info(fieldsOf(event), `The circuit ${name} probes with ${event.probes} calls.`));
    events.on('CircuitClosed', (event) =>
      logger.info(
        fieldsOf(event),
        `The circuit ${name} closed${event.reason === 'forced' ? ': an operator closed it' : ': its probes succeeded'}.`,
      ),
    );
    events.on('CircuitModeChanged', (event) => logger.warn(fieldsOf(event), `An operator set the circuit ${name} to ${event.mode}.`));
    // The field `level` is the severity of the log line.
    events.on('ShedLevelChanged', ({ level, ...event }) =>
      logger.warn(
        { ...fieldsOf(event), shedLevel: level },
        level === 0 ? `${name} no longer sheds load.` : `${name} sheds load: level ${level} of 3.`,
      ),
    );
    events.on('FallbackFailed', ({ error, ...event }) =>
      logger.debug({ ...fieldsOf(event), err: error }, `The fallback "${event.kind}" of ${name} failed.`),
    );
    events.on('RetryScheduled', ({ error, ...event }) =>
      logger.debug({ ...fieldsOf(event), err: error }, `A call of ${name} is retried in ${Math.round(event.waitMs)} ms.`),
    );
    events.on('WorkAbandoned', (event) =>
      logger.debug(fieldsOf(event), `Work of ${name} continues although its caller no longer waits. Zombies: ${event.zombies}.`),
    );
    events.on('QueueReplayed', (event) =>
      logger.info(fieldsOf(event), `The queue of ${name} was replayed: ${event.replayed} done, ${event.kept} left.`),
    );
    events.on('ChaosInjected', (event) => logger.debug(fieldsOf(event), `Chaos injected ${event.kind} into ${name}.`));
    events.on('SettingsChanged', (event) =>
      logger.warn(fieldsOf(event), `Settings of the pipeline ${name} were changed: ${event.changed.join(', ')}.`),
    );
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
      return 'an operator opened it';
  }
}

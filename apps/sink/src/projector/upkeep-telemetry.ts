import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { Upkeep, UpkeepObserver, UpkeepTask } from './upkeep/upkeep.ts';

/** Turns the events of the upkeep into log lines and counters. */
export function upkeepTelemetry(logger: Logger, metrics: Metrics): UpkeepObserver {
  const passes = metrics.counter({
    name: 'millrace_projector_compactions_total',
    help: 'Passes of compaction by outcome: committed; abandoned, because another projector replaced the files first; idle; failed.',
    labelNames: ['table', 'outcome'],
  });
  const count = (name: string, help: string): ((table: string, value: number) => void) => {
    const counter = metrics.counter({ name, help, labelNames: ['table'] });
    return (table, value) => counter.inc({ table }, value);
  };
  const files = count('millrace_projector_compacted_files_total', 'Files that compaction replaced.');
  const bytesRead = count('millrace_projector_compaction_read_bytes_total', 'Bytes of the files that compaction replaced.');
  const bytesWritten = count('millrace_projector_compaction_written_bytes_total', 'Bytes of the files that compaction wrote.');
  const deleted = count('millrace_projector_deleted_objects_total', 'Objects of the projection that were deleted.');
  const waiting = metrics.gauge({
    name: 'millrace_projector_waiting_deletions',
    help: 'Objects that wait for the end of the grace period.',
    labelNames: ['table'],
  });
  return {
    onPass(table, pass) {
      passes.inc({ table, outcome: pass.outcome });
      files(table, pass.files);
      bytesRead(table, pass.bytesRead);
      bytesWritten(table, pass.bytesWritten);
      if (pass.outcome === 'committed')
        logger.info(
          { table, ...pass },
          `Compacted ${pass.files} files of ${pass.dt} with ${pass.rows} rows of the Iceberg table of ${table}.`,
        );
    },
    onSwept(table, swept) {
      deleted(table, swept.deleted);
      waiting.set({ table }, swept.waiting);
      if (swept.deleted > 0) logger.info({ table, ...swept }, `Deleted ${swept.deleted} unused objects of the Iceberg table of ${table}.`);
    },
    onFailure(table, task, error) {
      if (task === 'compaction') passes.inc({ table, outcome: 'failed' });
      logger.warn({ table, task, err: error }, `The ${task} of the Iceberg table of ${table} failed; it is tried again: ${error.message}.`);
    },
  };
}

/** A gauge read when it is scraped. */
export function gaugeUpkeep(metrics: Metrics, tables: readonly string[], upkeep: Upkeep): void {
  const tasks: readonly UpkeepTask[] = ['compaction', 'sweep'];
  const failing = metrics.gauge({
    name: 'millrace_projector_upkeep_failing_seconds',
    help: 'Time since compaction or the deletion of unused objects (sweep) began to fail; 0 after a success.',
    labelNames: ['table', 'task'],
    collect() {
      for (const table of tables) for (const task of tasks) failing.set({ table, task }, upkeep.failingMs(table, task) / 1000);
    },
  });
}

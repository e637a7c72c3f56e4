import { isLakeError } from '@millrace/lake';
import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { Projector, ProjectorObserver } from './projector.ts';

/** Turns the events of the projectors into log lines and counters. */
export function projectorTelemetry(logger: Logger, metrics: Metrics): ProjectorObserver {
  const rounds = metrics.counter({
    name: 'millrace_projector_rounds_total',
    help: 'Rounds by outcome: committed; lost, because another projector committed first; idle; failed.',
    labelNames: ['table', 'outcome'],
  });
  return {
    onRound(table, round, head) {
      rounds.inc({ table, outcome: round.outcome });
      if (round.outcome !== 'committed') return;
      logger.info(
        { table, commit: head?.n, files: round.files, rows: round.rows },
        `Committed ${round.files} files with ${round.rows} rows to the Iceberg table of ${table}.`,
      );
    },
    onFailure(table, error) {
      rounds.inc({ table, outcome: 'failed' });
      const level = isLakeError(error, 'foreign-commit') ? 'error' : 'warn';
      logger[level]({ table, err: error }, `A round of the Iceberg table of ${table} failed; the projector tries again: ${error.message}.`);
    },
  };
}

/** Gauges read when they are scraped. */
export function gaugeProjectors(metrics: Metrics, projectors: readonly Projector[]): void {
  const gauge = (name: string, help: string, read: (projector: Projector) => number | undefined): void => {
    const made = metrics.gauge({
      name,
      help,
      labelNames: ['table'],
      collect() {
        for (const projector of projectors) {
          const value = read(projector);
          if (value !== undefined) made.set({ table: projector.table }, value);
        }
      },
    });
  };
  gauge('millrace_projector_lag_seconds', 'Time since the Iceberg table held every landed file.', ({ lagMs }) => lagMs / 1000);
  gauge('millrace_projector_commit', 'Number of the newest commit of the Iceberg table.', ({ head }) => head?.n);
  gauge('millrace_projector_files', 'Data files of the Iceberg table.', ({ head }) => head?.files);
  gauge('millrace_projector_rows', 'Rows of the Iceberg table.', ({ head }) => head?.rows);
  gauge('millrace_projector_lost_rows', 'Rows of files that an operator declared lost.', ({ head }) => head?.lostRows);
  const offset = metrics.gauge({
    name: 'millrace_projector_offset',
    help: 'Offset of a partition up to which the Iceberg table holds every row.',
    labelNames: ['table', 'partition'],
    collect() {
      for (const { table, head } of projectors)
        for (const [partition, { to }] of Object.entries(head?.position ?? {})) offset.set({ table, partition }, to);
    },
  });
}

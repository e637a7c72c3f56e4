import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import { logQueryEnd } from './query-audit.ts';
import type { QueryWorkerEvents } from './query-worker.ts';

/** Logs and counts the worker's queries. */
export function queryTelemetry(logger: Logger, metrics: Metrics): QueryWorkerEvents {
  const running = metrics.gauge({ name: 'millrace_query_running_queries', help: 'Queries that this worker runs now.' });
  const finished = metrics.counter({
    name: 'millrace_query_finished_total',
    help: 'Queries that ended, by engine and state.',
    labelNames: ['engine', 'state'],
  });
  const handedOver = metrics.counter({
    name: 'millrace_query_handed_over_total',
    help: 'Running queries that a stopping worker gave back.',
  });
  const stalled = metrics.counter({ name: 'millrace_query_stalled_total', help: 'Queries whose worker died.' });
  const duration = metrics.histogram({
    name: 'millrace_query_execution_seconds',
    help: 'Time from the start of a query to its end.',
    labelNames: ['engine'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
  });
  const waited = metrics.histogram({
    name: 'millrace_query_queue_seconds',
    help: 'Time from the submission of a query to its first start.',
    labelNames: ['engine'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  });
  const cancelled = metrics.histogram({
    name: 'millrace_query_cancel_seconds',
    help: 'Time from the request to cancel a query to its end.',
    labelNames: ['engine'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const scanned = metrics.counter({
    name: 'millrace_query_scanned_bytes_total',
    help: 'Bytes read from storage for queries that succeeded.',
    labelNames: ['engine'],
  });
  const layouts = metrics.counter({
    name: 'millrace_query_layout_total',
    help: 'Queries that succeeded, by the layout that they read and by the reason for reading the base instead of the Iceberg table.',
    labelNames: ['engine', 'layout', 'fallback'],
  });
  return {
    queryTaken({ id, data: { engine, report }, resumed }) {
      running.inc();
      logger.info({ queryId: id, engine, report }, resumed ? 'Continuing a query that another worker started.' : 'Running a query.');
    },
    queryReleased() {
      running.dec();
    },
    queryEnded({ id, data }, outcome) {
      const { engine } = data;
      const { state, statistics, startedAt, finishedAt } = outcome;
      waited.observe({ engine }, Math.max(0, startedAt - data.submittedAt) / 1000);
      finished.inc({ engine, state });
      duration.observe({ engine }, (finishedAt - startedAt) / 1000);
      if (statistics !== undefined) scanned.inc({ engine }, statistics.bytesScanned);
      const { layout, layoutFallback = 'none' } = statistics ?? {};
      if (layout !== undefined) layouts.inc({ engine, layout, fallback: layoutFallback });
      if (outcome.cancelMs !== undefined) cancelled.observe({ engine }, outcome.cancelMs / 1000);
      logQueryEnd(logger, id, data, outcome);
    },
    queryHandedOver({ id }) {
      handedOver.inc();
      logger.info({ queryId: id }, 'The query goes to another worker: this one stops.');
    },
    queryStalled(id) {
      stalled.inc();
      logger.warn({ queryId: id }, 'The worker of a query died; another takes it over.');
    },
    failed(error) {
      logger.warn({ err: error }, 'The queue of queries reported an error.');
    },
  };
}

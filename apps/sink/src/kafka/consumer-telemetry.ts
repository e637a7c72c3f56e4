import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import { loopingFrom, reasonOf, type ConsumerCrash } from './consumer-crashes.ts';
import type { LagWatch } from './lag-watch.ts';

/** Where the consumer's life becomes log lines and metrics. */
export interface ConsumerTelemetry {
  onJoined(): void;
  onCrash(crash: ConsumerCrash): void;
}

/** Makes the counters of the consumer. */
export function consumerTelemetry(logger: Logger, metrics: Metrics): ConsumerTelemetry {
  const joins = metrics.counter({
    name: 'millrace_sink_group_joins_total',
    help: 'Times that the consumer joined its group: one for each start and each rebalance.',
  });
  const crashes = metrics.counter({
    name: 'millrace_sink_consumer_crashes_total',
    help: 'Crashes of the consumer. A new one begins after each.',
  });
  return {
    onJoined: () => joins.inc(),
    onCrash({ error, inARow, needsOperator }) {
      crashes.inc();
      const fields = { err: error, inARow };
      if (needsOperator) {
        logger.error(
          fields,
          `The consumer crashed ${inARow} times in a row: ${reasonOf(error)}. Records wait in Kafka, and none is lost. ` +
            `A connection or a refusal: mend Kafka or the credentials. A record or a batch that cannot be read: ` +
            `GET /health/ready names the partition, docs/operations.md what to do.`,
        );
      } else {
        const row = inARow < loopingFrom ? '' : ` (${inARow} times in a row)`;
        logger.warn(fields, `The consumer crashed${row}, and a new one begins: ${reasonOf(error)}.`);
      }
    },
  };
}

/** Makes the gauges of waiting records and of the group, read when they are scraped. */
export function gaugeConsumer(metrics: Metrics, lag: Pick<LagWatch, 'all'>, joined: () => boolean): void {
  const member = metrics.gauge({
    name: 'millrace_sink_group_joined',
    help: '1 while the consumer is a member of its group, 0 while it is not: no record is taken then.',
    collect() {
      member.set(joined() ? 1 : 0);
    },
  });
  const records = metrics.gauge({
    name: 'millrace_sink_lag_records',
    help:
      'Offsets between the end of a partition in Kafka and what the sink has taken, and what has landed. ' +
      'The end is asked for each 5 s, also while nothing is fetched. ' +
      'Out of the group, partitions held last are counted; with none, the whole topic by committed offsets.',
    labelNames: ['partition', 'stage'],
    collect() {
      records.reset();
      for (const { partition, end, taken, landed } of lag.all) {
        records.set({ partition, stage: 'taken' }, Math.max(0, end - taken));
        records.set({ partition, stage: 'landed' }, Math.max(0, end - landed));
      }
    },
  });
  const end = metrics.gauge({
    name: 'millrace_sink_end_offset',
    help: 'Offset that the next record of a partition gets, by the last answer of Kafka.',
    labelNames: ['partition'],
    collect() {
      end.reset();
      for (const one of lag.all) end.set({ partition: one.partition }, one.end);
    },
  });
  const stalled = metrics.gauge({
    name: 'millrace_sink_stalled_seconds',
    help: 'Time for which records of a partition have waited in Kafka and the sink took none of them; 0 while none waits.',
    labelNames: ['partition'],
    collect() {
      stalled.reset();
      for (const { partition, stalledMs } of lag.all) stalled.set({ partition }, stalledMs / 1000);
    },
  });
}

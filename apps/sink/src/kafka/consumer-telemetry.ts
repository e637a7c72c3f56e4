import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import { loopingFrom, reasonOf, type ConsumerCrash } from './consumer-crashes.ts';
import type { LagWatch } from './lag-watch.ts';

/** Turns the consumer's joins and crashes into log lines and metrics. */
export interface ConsumerTelemetry {
  onJoined(): void;
  onCrash(crash: ConsumerCrash): void;
}

/** Makes the counters of the consumer. */
export function consumerTelemetry(logger: Logger, metrics: Metrics): ConsumerTelemetry {
  const joins = metrics.counter({
    name: 'millrace_sink_group_joins_total',
    help: 'Joins of the consumer group: one for each start and each rebalance.',
  });
  const crashes = metrics.counter({
    name: 'millrace_sink_consumer_crashes_total',
    help: 'Crashes of the consumer. The sink starts a new consumer after each.',
  });
  return {
    onJoined: () => joins.inc(),
    onCrash({ error, inARow, needsOperator }) {
      crashes.inc();
      const fields = { err: error, inARow };
      if (needsOperator) {
        logger.error(
          fields,
          `The consumer crashed ${inARow} times in a row: ${reasonOf(error)}. Records wait in Kafka; nothing is lost. ` +
            `If the cause is a connection or a refusal, repair Kafka or the credentials. If it is an unreadable record or batch, ` +
            `GET /health/ready names the partition and docs/operations.md the remedy.`,
        );
      } else {
        const row = inARow < loopingFrom ? '' : ` (${inARow} times in a row)`;
        logger.warn(fields, `The consumer crashed${row}; the sink starts a new one: ${reasonOf(error)}.`);
      }
    },
  };
}

/** Makes the gauges of waiting records and of the group, read when they are scraped. */
export function gaugeConsumer(metrics: Metrics, lag: Pick<LagWatch, 'all'>, joined: () => boolean): void {
  const member = metrics.gauge({
    name: 'millrace_sink_group_joined',
    help: '1 while the consumer is a member of its group; 0 while it is not, and the sink takes no records.',
    collect() {
      member.set(joined() ? 1 : 0);
    },
  });
  const records = metrics.gauge({
    name: 'millrace_sink_lag_records',
    help:
      'Lag of a partition: offsets between its end in Kafka and the offset that the sink has taken or landed. ' +
      'The sink asks for the end every 5 s, even while it fetches nothing. ' +
      'Outside the group it counts the partitions that it held last; if it held none, the whole topic by committed offsets.',
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
    help: 'End offset of a partition by the last answer of Kafka: the offset of its next record.',
    labelNames: ['partition'],
    collect() {
      end.reset();
      for (const one of lag.all) end.set({ partition: one.partition }, one.end);
    },
  });
  const stalled = metrics.gauge({
    name: 'millrace_sink_stalled_seconds',
    help: 'Time for which records of a partition have waited in Kafka while the sink took none of them; 0 while none waits.',
    labelNames: ['partition'],
    collect() {
      stalled.reset();
      for (const { partition, stalledMs } of lag.all) stalled.set({ partition }, stalledMs / 1000);
    },
  });
}

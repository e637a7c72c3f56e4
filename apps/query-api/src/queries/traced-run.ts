import { endFailed, parentOf, type Tracing } from '@millrace/runtime';
import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { QueryOutcome } from './query-record.ts';
import type { QueryRun } from './run-query.ts';

/**
 * Runs queries with two spans each, in the trace of the request that submitted the query: the wait in the queue, and the run. The span of
 * the run names the offsets of each table for which the result is exact. A query that changes workers has one span of a run for each.
 *
 * @param queueName prefix of the names of the queues
 * @param now epoch milliseconds
 */
export function tracedRun(
  run: (query: QueryRun) => Promise<QueryOutcome>,
  tracing: Tracing,
  queueName: string,
  now: () => number,
): (query: QueryRun) => Promise<QueryOutcome> {
  return async (query) => {
    const { data } = query;
    const parent = parentOf(data.traceparent);
    const attributes = attributesOf(query, queueName);
    if (query.progress === undefined) {
      tracing.startSpan('wait for worker', { attributes, startTime: data.submittedAt }, parent).end(Math.max(now(), data.submittedAt));
    }
    const span = tracing.startSpan('run query', { kind: SpanKind.CONSUMER, attributes }, parent);
    try {
      const outcome = await run(query);
      span.setAttributes(attributesOfOutcome(outcome));
      if (outcome.state === 'failed') {
        span.setAttribute('error.type', outcome.error?.type ?? '_OTHER');
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
      return outcome;
    } catch (error) {
      endFailed(span, error);
      throw error;
    }
  };
}

// The text of the statement is left out: it may hold values of customers.
function attributesOf({ id, data, progress }: QueryRun, queueName: string): Attributes {
  const { engine, report, layout } = data;
  return {
    'messaging.system': 'bullmq',
    'messaging.destination.name': `${queueName}-${engine}`,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.message.id': id,
    'db.system.name': engine,
    'millrace.query.resumed': progress !== undefined,
    ...(layout === undefined ? {} : { 'millrace.query.layout': layout }),
    ...(report === undefined ? {} : { 'db.query.summary': report }),
  };
}

function attributesOfOutcome({ state, statistics, asOf, stale }: QueryOutcome): Attributes {
  return {
    'millrace.query.state': state,
    ...(statistics === undefined
      ? {}
      : { 'db.response.returned_rows': statistics.rows, 'millrace.query.scanned_bytes': statistics.bytesScanned }),
    ...(stale === undefined ? {} : { 'millrace.query.stale': true }),
    // Topic, partition, and the offset up to which the ledger of the lane had landed.
    ...(asOf === undefined
      ? {}
      : {
          'millrace.query.as_of': asOf.flatMap(({ topic, offsets }) =>
            offsets.map((offset, partition) => `${topic}/${partition}:${offset}`),
          ),
        }),
  };
}

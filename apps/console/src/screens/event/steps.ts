import type { EventWay } from '@millrace/contracts';

/** One step of the path of an event. */
export interface Step {
  readonly title: string;
  readonly state: 'done' | 'waiting' | 'failed' | 'unknown';
  /** Where the event is after this step. */
  readonly detail: string;
  /** ISO 8601; absent where no part knows the time. */
  readonly at?: string | undefined;
}

/** The steps of an event in their order. An unknown step states the reason. */
export function stepsOf(way: EventWay): readonly Step[] {
  const { accepted, disk, kafka, landed, queryable, status } = way;
  const open = (step: EventWay['unknown'][number]['step']): Pick<Step, 'state' | 'detail'> => {
    const unknown = way.unknown.find((one) => one.step === step);
    return unknown === undefined ? { state: 'waiting', detail: 'not yet' } : { state: 'unknown', detail: unknown.reason };
  };
  const isLost = status === 'lost';
  return [
    {
      title: 'Accepted',
      state: accepted === undefined ? 'unknown' : 'done',
      detail: accepted === undefined ? 'not known' : 'by the purchase API',
      at: accepted?.at,
    },
    ...(disk === undefined
      ? []
      : [{ title: 'On disk', state: 'waiting', detail: 'in the outbox; Kafka gets it when it is back' } as const]),
    kafka === undefined
      ? { title: 'Kafka', ...open('kafka') }
      : {
          title: 'Kafka',
          state: kafka.confirmed ? 'done' : 'unknown',
          detail: `${kafka.topic}, partition ${kafka.partition}, offset ${kafka.offset}${kafka.confirmed ? '' : ', not confirmed'}`,
          at: kafka.at,
        },
    landed === undefined
      ? {
          title: isLost ? 'Lost' : 'Landed',
          ...(isLost ? { state: 'failed', detail: 'the ledger records it, and its row no longer exists' } : open('landed')),
        }
      : {
          title: status === 'rejected' ? 'Rejected' : 'Landed',
          state: status === 'rejected' || isLost ? 'failed' : 'done',
          detail: `batch ${landed.batch}, offsets ${landed.from}–${landed.to}${landed.file === undefined ? '' : `, ${landed.file}`}`,
          at: landed.at,
        },
    ...(status === 'rejected'
      ? []
      : [
          queryable === undefined
            ? { title: 'Queryable', ...open('queryable') }
            : ({ title: 'Queryable', state: 'done', detail: `${queryable.database}.${queryable.table}`, at: queryable.at } as const),
        ]),
  ];
}

import { isClean } from '../proof/compare.ts';
import type { CountedEvents } from './count-events.ts';
import { answerP99MsMax } from './kafka-outage-failures.ts';

/** Answers and their times, in one kind of period. */
export interface PeriodFigures {
  readonly kafka: number;
  readonly disk: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Measurements of a load with faults. */
export interface LoadFigures extends CountedEvents {
  readonly sent: number;
  /** Purchases acknowledged a second over the whole load. */
  readonly ratePerSecond: number;
  /** While Kafka was down. */
  readonly outages: PeriodFigures;
  /** The rest of the time. */
  readonly rest: PeriodFigures;
  /** Answers that the API must not give. */
  readonly breaches: { readonly count: number; readonly named: readonly string[] };
  /** Produce answers that were swallowed. */
  readonly swallowed: number;
  /** Events that were still in the outbox at the end. */
  readonly waiting: number;
}

/** Lists the requirements that a load with faults did not meet, one sentence each. */
export function loadFailures({ sent, verdict, disorder, breaches, outages, swallowed, waiting }: LoadFigures): string[] {
  const demands: readonly (readonly [met: boolean, otherwise: string])[] = [
    [isClean(verdict), 'purchases were lost, duplicated or unexplained'],
    [verdict.acknowledged === sent, `${sent - verdict.acknowledged} purchases were sent and not acknowledged`],
    [disorder.count === 0, `${disorder.count} purchases of a buyer are in the topic in the wrong order: ${disorder.named[0]}`],
    [breaches.count === 0, `${breaches.count} answers are not allowed: ${breaches.named.join(', ')}`],
    [outages.disk > 0, 'no purchase was acknowledged from disk while Kafka was down'],
    [swallowed > 0, 'no Produce answer was swallowed'],
    [
      outages.p99Ms <= answerP99MsMax,
      `p99 of the answers while Kafka was down was ${Math.round(outages.p99Ms)} ms, above ${answerP99MsMax} ms`,
    ],
    [waiting === 0, `${waiting} events were still in the outbox at the end`],
  ];
  return demands.flatMap(([met, otherwise]) => (met ? [] : [otherwise]));
}

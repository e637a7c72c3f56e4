import { isClean } from '../proof/compare.ts';
import type { CountedEvents } from './count-events.ts';

/** Measurements of an outage of Kafka. */
export interface KafkaOutageFigures extends CountedEvents {
  readonly sent: number;
  /** Purchases a second that were to be sent. */
  readonly rateAsked: number;
  /** Purchases acknowledged a second while Kafka was down and the service ran. */
  readonly ratePerSecond: number;
  /** Answers while Kafka was down. */
  readonly answers: {
    readonly disk: number;
    /** Kafka acknowledged them before it died. */
    readonly kafka: number;
    /** Requests under way when Kafka died. */
    readonly underWay: number;
    readonly refused: number;
    readonly unanswered: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  };
  /** Answers of the whole run that the API must not give. */
  readonly breaches: { readonly count: number; readonly named: readonly string[] };
  /** Milliseconds without a service after the kill. */
  readonly serviceAwayMs: number;
  /** Memory of the service before and after its kill: medians of the first and last third, and the most, in megabytes. */
  readonly rssMb: readonly { readonly first: number; readonly last: number; readonly max: number }[];
  readonly backlog: { readonly events: number; readonly bytes: number };
  /** Time from the return of Kafka to an empty outbox in milliseconds; infinite if the outbox did not drain. */
  readonly drainedMs: number;
  /** Events of the outbox published a second in that time. */
  readonly drainPerSecond: number;
  /** Purchases acknowledged a second in that time. */
  readonly liveRatePerSecond: number;
}

/** Time limit of the drain, in milliseconds. */
export const drainMsMax = 180_000;
/** Longest time of 99 of 100 answers while Kafka is down, in milliseconds. */
export const answerP99MsMax = 250;

// After its restart the service is slow for a moment, and purchases that clients could not send are not made up for.
const rateShareMin = 0.95;
const drainToLiveMin = 3;
// Above this, memory grows with the backlog.
const rssGrowthMax = 1.25;

/** Lists the requirements that an outage did not meet, one sentence each. */
export function kafkaOutageFailures(figures: KafkaOutageFigures): string[] {
  const { sent, rateAsked, ratePerSecond, answers, breaches, rssMb, drainedMs, drainPerSecond, verdict, disorder } = figures;
  const demands: readonly (readonly [met: boolean, otherwise: string])[] = [
    [isClean(verdict), 'purchases were lost, duplicated or unexplained'],
    [verdict.acknowledged === sent, `${sent - verdict.acknowledged} purchases were sent and not acknowledged`],
    [disorder.count === 0, `${disorder.count} purchases of a buyer are in the topic in the wrong order: ${disorder.named[0]}`],
    [breaches.count === 0, `${breaches.count} answers are not allowed: ${breaches.named.join(', ')}`],
    [
      ratePerSecond >= rateAsked * rateShareMin,
      `${Math.round(ratePerSecond)} purchases a second were acknowledged while Kafka was down, ${rateAsked} were requested`,
    ],
    [
      answers.disk > 0 && answers.kafka <= answers.underWay,
      `${answers.disk} purchases were acknowledged from disk while Kafka was down, ${answers.kafka} from Kafka`,
    ],
    [answers.p99Ms <= answerP99MsMax, `p99 of the answers was ${Math.round(answers.p99Ms)} ms, above ${answerP99MsMax} ms`],
    ...rssMb.map(({ first, last }) => [last <= first * rssGrowthMax, `the service's memory grew from ${first} to ${last} MB`] as const),
    [drainedMs < drainMsMax, `the outbox was not empty ${drainMsMax / 1000} s after Kafka was back`],
    [
      drainPerSecond >= rateAsked * drainToLiveMin,
      `the drain published ${Math.round(drainPerSecond)} events a second, less than ${drainToLiveMin} times the ${rateAsked} of live traffic`,
    ],
  ];
  return demands.flatMap(([met, otherwise]) => (met ? [] : [otherwise]));
}

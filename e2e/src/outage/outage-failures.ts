import { isClean, type Verdict } from '../proof/compare.ts';

/** Measurements of an outage. */
export interface OutageFigures {
  readonly conditions: string;
  readonly sent: number;
  /** Purchases a second that were to be sent. */
  readonly rateAsked: number;
  /** Purchases acknowledged a second, over the whole outage. */
  readonly ratePerSecond: number;
  /** How long the clients were behind their rate, in milliseconds, because the maximum number of requests was unanswered. */
  readonly behindMs: number;
  readonly clientRetries: number;
  /** Time from the return of S3 until every event acknowledged by then had landed; infinite if they did not land. */
  readonly drainedMs: number;
  /** Events landed a second in that time. */
  readonly drainRowsPerSecond: number;
  /** Purchases acknowledged a second in that time. */
  readonly liveRatePerSecond: number;
  /** Medians of the first and last third of the outage, and the most, in megabytes. */
  readonly rssMb: { readonly first: number; readonly last: number; readonly max: number };
  readonly verdict: Verdict;
}

/** Time limit of the drain, in milliseconds. */
export const drainMsMax = 180_000;

// A clock's jitter and the ends of the window; a purchase API that does not keep up misses more.
const rateShareMin = 0.95;
const drainToLiveMin = 3;
// Above this, memory grows with the outage.
const rssGrowthMax = 1.25;

/** Lists the requirements that an outage did not meet, one sentence each. */
export function outageFailures({ sent, rateAsked, ratePerSecond, drainedMs, drainRowsPerSecond, rssMb, verdict }: OutageFigures): string[] {
  const demands: readonly (readonly [met: boolean, otherwise: string])[] = [
    [isClean(verdict), 'purchases were lost, duplicated or unexplained'],
    [verdict.acknowledged === sent, `${sent - verdict.acknowledged} purchases were sent and not acknowledged`],
    [
      ratePerSecond >= rateAsked * rateShareMin,
      `${Math.round(ratePerSecond)} purchases a second were acknowledged while S3 was down, ${rateAsked} were requested`,
    ],
    [drainedMs < drainMsMax, `the backlog had not landed ${drainMsMax / 1000} s after S3 was back`],
    // A share of the requested rate: a slower purchase API must not make the drain look fast.
    [
      drainRowsPerSecond >= rateAsked * drainToLiveMin,
      `the drain landed ${Math.round(drainRowsPerSecond)} rows a second, less than ${drainToLiveMin} times the ${rateAsked} of live traffic`,
    ],
    [rssMb.last <= rssMb.first * rssGrowthMax, `the sink's memory grew from ${rssMb.first} to ${rssMb.last} MB`],
  ];
  return demands.flatMap(([met, otherwise]) => (met ? [] : [otherwise]));
}

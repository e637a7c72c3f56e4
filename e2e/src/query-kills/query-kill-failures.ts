import type { CrowdEnds } from './query-crowd.ts';
import type { StartKills } from './start-kills.ts';
import type { StuckReads } from './stuck-reads.ts';

/** A fault that struck in the middle of many queries. */
export interface FaultAmidQueries {
  readonly queries: number;
  /** Queries that had ended before the fault. */
  readonly endedBefore: number;
  readonly ends: CrowdEnds;
  /** Queries with several executions on the local Athena. */
  readonly executedTwice: number;
}

/** Queries that were submitted at once on one engine. */
export interface ConcurrentQueries {
  readonly engine: string;
  readonly queries: number;
  readonly ends: CrowdEnds;
  readonly seconds: number;
}

/** Figures of the proof. */
export interface QueryKillFigures {
  readonly conditions: string;
  readonly startKills: StartKills;
  readonly allWorkersKilled: FaultAmidQueries;
  readonly redisRestarted: FaultAmidQueries;
  readonly concurrent: readonly ConcurrentQueries[];
  readonly stuckReads: StuckReads;
}

/** A stream beside stuck statements may be slower by this factor and this time, because they hold memory and connections. */
const factorMax = 1.5;
const addedMsMax = 100;

/** The claims that the figures do not meet. */
export function queryKillFailures({
  startKills,
  allWorkersKilled,
  redisRestarted,
  concurrent,
  stuckReads,
}: Omit<QueryKillFigures, 'conditions'>): string[] {
  const claims: readonly (readonly [holds: boolean, failure: string])[] = [
    [startKills.executedTwice === 0, `${startKills.executedTwice} queries were executed twice after a kill around Start`],
    [startKills.neverExecuted === 0, `${startKills.neverExecuted} queries were never executed after a kill around Start`],
    [startKills.succeeded === startKills.kills, `${startKills.kills - startKills.succeeded} queries did not survive a kill around Start`],
    ...amid('all workers were killed', allWorkersKilled),
    ...amid('Redis was restarted', redisRestarted),
    ...concurrent.map(
      ({ engine, queries, ends }) =>
        [ends.succeeded === queries, `${queries - ends.succeeded} of ${queries} concurrent queries on ${engine} did not succeed`] as const,
    ),
    [stuckReads.stillStuck === 2, 'the statements did not hang on S3 for the whole stream'],
    [
      stuckReads.besideP99Ms <= stuckReads.aloneP99Ms * factorMax + addedMsMax,
      `p99 on Athena was ${stuckReads.besideP99Ms} ms beside stuck statements and ${stuckReads.aloneP99Ms} ms alone`,
    ],
  ];
  return claims.filter(([holds]) => !holds).map(([, failure]) => failure);
}

function amid(what: string, { queries, endedBefore, ends, executedTwice }: FaultAmidQueries): (readonly [boolean, string])[] {
  return [
    [endedBefore > 0 && endedBefore < queries, `${endedBefore} of ${queries} queries had ended before ${what}`],
    [ends.lost === 0, `${ends.lost} queries were lost when ${what}`],
    [ends.failed['without a reason'] === undefined, `queries failed without a reason when ${what}`],
    [executedTwice === 0, `${executedTwice} queries were executed twice when ${what}`],
  ];
}

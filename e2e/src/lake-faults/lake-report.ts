import type { TableAudit } from '../proof/audit-table.ts';
import { isClean, type Verdict } from '../proof/compare.ts';
import type { Struck } from '../proof/struck.ts';
import type { CommitCounts } from './check/commit-history.ts';
import { isExact } from './check/compare-days.ts';
import { allExact, type AnswersUnderFaults, type ReaderVerdicts } from './check/lake-check.ts';
import type { KilledRebuild } from './check/kill-rebuilds.ts';
import type { PlantedViolations } from './check/plant-violations.ts';
import { lakeFaultKinds, lakeSteps, type LakeFaultKind, type LakeStep, type PlannedLakeFault } from './lake-fault-plan.ts';

/** One fault and its outcome. */
export type InflictedLakeFault = PlannedLakeFault & Struck & { readonly n: number; readonly atMs: number };

/** The count after a round of faults. */
export interface LakeRound {
  /** The base against the topic, event by event. */
  readonly base: Verdict;
  /** Files of the base that were deleted. */
  readonly baseFilesGone: number;
  /** Every reader of the table at rest. */
  readonly readers: ReaderVerdicts;
  readonly underFaults: AnswersUnderFaults;
  readonly audit: TableAudit;
}

/** One run of the proof. */
export interface LakeFaultReport {
  readonly seed: number;
  readonly date: string;
  readonly conditions: string;
  readonly faultsPlanned: number;
  readonly faultsPerRound: number;
  readonly faults: readonly InflictedLakeFault[];
  readonly rounds: readonly LakeRound[];
  readonly commits: CommitCounts;
  /** Objects of the table that the projectors deleted. */
  readonly deleted: { readonly metadata: number; readonly data: number };
  readonly slowestReadMs: Readonly<Record<string, number>>;
  /** Absent when a round was not clean. */
  readonly planted?: PlantedViolations;
  /** Rebuilds that were killed in the middle, before the first round. */
  readonly killedRebuilds: readonly KilledRebuild[];
  /** Number of projectors that ended without a kill. */
  readonly unexpectedEnds: number;
  readonly seconds: number;
}

/** Readers that must notice each planted violation: those without a second source. */
const independentReaders = ['DuckDB by catalog', 'DuckDB by path', 'pyiceberg'];

/** The claims that a round does not meet. */
export function roundFailures({ base, baseFilesGone, readers, underFaults, audit }: LakeRound): string[] {
  const { difference, failures } = underFaults;
  const claims: readonly (readonly [holds: boolean, failure: string])[] = [
    [isClean(base), 'the base does not hold every acknowledged purchase once'],
    [baseFilesGone === 0, `${baseFilesGone} files of the base are gone`],
    [allExact(readers), `readers disagree with the base: ${JSON.stringify(readers)}`],
    [isExact(difference), `answers under faults differ from the base: ${JSON.stringify(difference)}`],
    [failures.length === 0, `${failures.length} reads failed, the first: ${failures[0]?.reader}: ${failures[0]?.message}`],
    [audit.complete, `the audit does not call the table complete: ${audit.said}`],
  ];
  return claims.filter(([holds]) => !holds).map(([, failure]) => failure);
}

/** The claims that a run does not meet. */
export function lakeFailures({ rounds, planted, killedRebuilds, commits, unexpectedEnds }: LakeFaultReport): string[] {
  const claims: readonly (readonly [holds: boolean, failure: string])[] = [
    [rounds.length > 0, 'no round was counted'],
    [commits.appends > 0 && commits.merges > 0, 'the projectors made no appends or no merges'],
    ...(['lost', 'doubled', 'gone'] as const).map(
      (what) =>
        [
          planted !== undefined && planted[what].audit && independentReaders.every((name) => planted[what].readers.includes(name)),
          `a planted violation was not found: ${what}`,
        ] as const,
    ),
    [planted?.healed === true, 'the table was not exact after the planted violations were undone'],
    [
      killedRebuilds.every(({ struck, exact }) => struck && exact),
      `a rebuild was not killed at its call, or left another table: ${JSON.stringify(killedRebuilds)}`,
    ],
    [unexpectedEnds === 0, `${unexpectedEnds} projectors ended by themselves`],
  ];
  return [
    ...rounds.flatMap((round, n) => roundFailures(round).map((failure) => `round ${n + 1}: ${failure}`)),
    ...claims.filter(([holds]) => !holds).map(([, failure]) => failure),
  ];
}

/** Planned faults and those that struck. */
export interface FaultCount {
  readonly planned: number;
  readonly struck: number;
}

/** Faults by kind. */
export function countKinds(faults: readonly InflictedLakeFault[]): ReadonlyMap<LakeFaultKind, FaultCount> {
  return new Map(lakeFaultKinds.map((kind) => [kind, countOf(faults.filter((fault) => fault.kind === kind))]));
}

/** Faults by step. */
export function countSteps(faults: readonly InflictedLakeFault[]): ReadonlyMap<LakeStep, FaultCount> {
  return new Map(lakeSteps.map((step) => [step, countOf(faults.filter((fault) => fault.step === step))]));
}

/** With no violation in n independent trials, the rate of violations is below this with 95 % confidence. */
export function upperBound(trials: number): number {
  return trials === 0 ? 1 : 1 - 0.05 ** (1 / trials);
}

/** A run for a person. */
export function lakeReportText(report: LakeFaultReport): string {
  const { seed, faults, faultsPlanned, faultsPerRound, rounds, seconds, conditions } = report;
  const struck = faults.filter(({ hit }) => hit).length;
  const exactRounds = rounds.filter((round) => roundFailures(round).length === 0).length;
  const bound = (upperBound(struck) * 100).toFixed(2);
  const failures = lakeFailures(report);
  return [
    `./millrace verify lake --faults ${faultsPlanned} --seed ${seed} --round ${faultsPerRound}`,
    `Seed ${seed}: ${struck} of ${faults.length} faults struck a call in flight, in ${Math.round(seconds)} s (${conditions}).`,
    ...countLines(countKinds(faults)),
    '',
    'By step:',
    ...countLines(countSteps(faults)),
    '',
    ...workLines(report),
    ...answerLines(report),
    `Rounds: ${exactRounds} of ${rounds.length} exact on every reader.`,
    ...endLines(report),
    `At most ${bound} % of faults cause a violation, with 95 % confidence, if none was found.`,
    failures.length === 0 ? 'Passed.' : `Failed: ${failures.join('; ')}.`,
  ].join('\n');
}

function workLines({ commits, deleted, rounds }: LakeFaultReport): string[] {
  const { acknowledged = 0, rows = 0, files = 0 } = rounds.at(-1)?.base ?? {};
  return [
    `The projectors made ${commits.appends} appends, ${commits.merges} merges and ${commits.expiries} expiries.`,
    `They deleted ${deleted.metadata} objects of metadata and ${deleted.data} merged files that were seen before.`,
    `${acknowledged} purchases acknowledged, ${rows} rows in ${files} files of the base.`,
  ];
}

function answerLines({ rounds, slowestReadMs }: LakeFaultReport): string[] {
  const parts = rounds.map(({ underFaults }) => underFaults);
  const total = (of: (part: AnswersUnderFaults) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  const names = Object.keys(parts[0]?.answers ?? {});
  const found = (['lost', 'doubled', 'altered'] as const).map((what) => `${what} ${total(({ difference }) => difference[what])}`);
  return [
    'Answers while faults struck:',
    ...names.map((name) => {
      const count = String(total(({ answers }) => answers[name] ?? 0)).padStart(5);
      return `  ${name.padEnd(20)} ${count}, the slowest in ${slowestReadMs[name]} ms`;
    }),
    `  compared with the base at their offsets: ${total(({ compared }) => compared)}`,
    `  ${found.join(', ')}, failed ${total(({ failures }) => failures.length)}`,
  ];
}

function endLines({ planted, killedRebuilds }: LakeFaultReport): string[] {
  const foundBy = (what: 'lost' | 'doubled' | 'gone'): string =>
    planted === undefined ? 'not planted' : [...planted[what].readers, ...(planted[what].audit ? ['audit'] : [])].join(', ') || 'NONE';
  const [struck, exact] = [killedRebuilds.filter((one) => one.struck), killedRebuilds.filter((one) => one.exact)];
  return [
    ...(['lost', 'doubled', 'gone'] as const).map((what) => `Planted ${what}: found by ${foundBy(what)}.`),
    `Rebuilds killed in the middle: ${struck.length} of ${killedRebuilds.length}, and ${exact.length} left an exact table.`,
  ];
}

function countLines(counts: ReadonlyMap<string, FaultCount>): string[] {
  return [...counts].map(([name, { struck, planned }]) => `  ${name.padEnd(20)} ${String(struck).padStart(5)} of ${planned}`);
}

function countOf(faults: readonly InflictedLakeFault[]): FaultCount {
  return { planned: faults.length, struck: faults.filter(({ hit }) => hit).length };
}

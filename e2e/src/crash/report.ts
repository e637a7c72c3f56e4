import type { TableAudit } from '../proof/audit-table.ts';
import { isClean, type Verdict } from '../proof/compare.ts';
import type { Struck } from '../proof/struck.ts';
import { faultKinds, type CrashFaultKind, type PlannedFault } from './fault-plan.ts';

/** One fault and its outcome. */
export type InflictedFault = PlannedFault & Struck & { readonly n: number; readonly atMs: number };

/** One run of the matrix, as it is kept. */
export interface CrashReport {
  readonly seed: number;
  readonly date: string;
  readonly conditions: string;
  /** Kinds that were planned: with the seed and the number of faults they give the plan again. The first reports lack it. */
  readonly kinds?: readonly CrashFaultKind[];
  /** How many faults were planned; fewer struck where a round was the last. The first reports lack it: they are of whole runs. */
  readonly faultsPlanned?: number;
  /** Faults between two counts. The first reports lack it. */
  readonly faultsPerRound?: number;
  readonly faults: readonly InflictedFault[];
  /** The count after each round. */
  readonly verdicts: readonly Verdict[];
  /** The audit after each round. The first reports lack it: they have the one at the end. */
  readonly audits?: readonly TableAudit[];
  /** Verdicts of the checker on a loss and on a duplicate that were planted into the real table. */
  readonly planted: { readonly lossCaught: boolean; readonly duplicateCaught: boolean };
  /** Whether `./millrace audit --deep` called the table complete at the end, with its text. */
  readonly audit: Pick<TableAudit, 'complete' | 'said'>;
  /** Number of sinks that ended without a kill. */
  readonly unexpectedEnds: number;
  readonly clientRetries: number;
  readonly seconds: number;
}

/** Tells whether a run is a proof: every round is clean and complete, and the checker finds the planted faults. */
export function holds({ verdicts, audits = [], planted, audit, unexpectedEnds }: CrashReport): boolean {
  return (
    verdicts.length > 0 &&
    verdicts.every(isClean) &&
    audits.every(({ complete }) => complete) &&
    planted.lossCaught &&
    planted.duplicateCaught &&
    audit.complete &&
    unexpectedEnds === 0
  );
}

/** Kinds that a run planned. */
export function plannedKinds({ kinds, faults }: Pick<CrashReport, 'kinds' | 'faults'>): readonly CrashFaultKind[] {
  return kinds ?? faultKinds.filter((kind) => faults.some((fault) => fault.kind === kind));
}

/** Kinds that a run planned, for a person. */
export function kindsText(report: Pick<CrashReport, 'kinds' | 'faults'>): string {
  const planned = plannedKinds(report);
  const leftOut = faultKinds.filter((kind) => !planned.includes(kind));
  if (leftOut.length === 0) return 'all';
  return leftOut.length < planned.length ? `all but ${leftOut.join(', ')}` : planned.join(', ');
}

/** The command that plans a run's faults again. The work in flight at each fault depends on the machine. */
export function commandText(report: CrashReport): string {
  const { seed, faults, faultsPlanned = faults.length, faultsPerRound } = report;
  const kinds = plannedKinds(report);
  return [
    `./millrace crash-matrix --faults ${faultsPlanned} --seed ${seed}`,
    ...(faultsPerRound === undefined ? [] : [`--round ${faultsPerRound}`]),
    ...(kinds.length === faultKinds.length ? [] : [`--kinds ${kinds.join(',')}`]),
  ].join(' ');
}

/** Faults that struck something, by kind. */
export function countedByKind(
  faults: readonly InflictedFault[],
): Readonly<Record<CrashFaultKind, { readonly planned: number; readonly counted: number }>> {
  const of = (kind: CrashFaultKind): readonly InflictedFault[] => faults.filter((fault) => fault.kind === kind);
  return Object.fromEntries(
    faultKinds.map((kind) => [kind, { planned: of(kind).length, counted: of(kind).filter(({ hit }) => hit).length }]),
  ) as never;
}

/** A run for a person. */
export function reportText(report: CrashReport): string {
  const { seed, faults, verdicts, audits = [], planted, audit, unexpectedEnds, clientRetries, seconds } = report;
  const counted = Object.entries(countedByKind(faults)).map(
    ([kind, { planned, counted: hits }]) => `  ${kind.padEnd(18)} ${String(hits).padStart(5)} of ${planned}`,
  );
  const last = verdicts.at(-1);
  const findings = (['lost', 'duplicated', 'unexplained'] as const).map((what) => {
    const { count, named } = last?.[what] ?? { count: 0, named: [] };
    return `  ${what.padEnd(18)} ${String(count).padStart(5)}${named.length === 0 ? '' : `  ${named.join('; ')}`}`;
  });
  return [
    commandText(report),
    `Seed ${seed}: ${faults.filter(({ hit }) => hit).length} faults struck something in flight, in ${Math.round(seconds)} s.`,
    ...counted,
    '',
    `${last?.acknowledged ?? 0} purchases acknowledged (${clientRetries} requests repeated), ${last?.logRecords ?? 0} records in the topic, ${last?.rows ?? 0} rows in ${last?.files ?? 0} files:`,
    ...findings,
    '',
    ...audits.map(
      ({ complete, said, ms }, n) =>
        `Round ${n + 1}: ${verdicts[n]!.rows} rows, ${isClean(verdicts[n]!) ? 'clean' : 'NOT CLEAN'}; audited in ${(ms / 1000).toFixed(1)} s: ${complete ? '' : 'NOT COMPLETE: '}${said}`,
    ),
    `Planted into the table: the loss was ${planted.lossCaught ? '' : 'NOT '}caught, the duplicate was ${planted.duplicateCaught ? '' : 'NOT '}caught.`,
    `Audit of every byte: ${audit.complete ? '' : 'NOT COMPLETE: '}${audit.said}`,
    ...(unexpectedEnds === 0 ? [] : [`Sinks that ended though nobody killed them: ${unexpectedEnds}`]),
  ].join('\n');
}

import type { Verdict } from '../proof/compare.ts';
import { faultKinds, type CrashFaultKind, type PlannedFault } from './fault-plan.ts';
import type { Struck } from './inflict.ts';

/** One fault and what it met. */
export type InflictedFault = PlannedFault & Struck & { readonly n: number; readonly atMs: number };

/** One run of the matrix, as it is kept. */
export interface CrashReport {
  readonly seed: number;
  readonly date: string;
  readonly conditions: string;
  readonly faults: readonly InflictedFault[];
  readonly verdicts: readonly Verdict[];
  /** What the checker said of a loss and of a duplicate that were planted into the real table. */
  readonly planted: { readonly lossCaught: boolean; readonly duplicateCaught: boolean };
  /** Whether `./millrace audit` called the table complete at the end, and what it said. */
  readonly audit: { readonly complete: boolean; readonly said: string };
  /** Sinks that ended though nobody killed them. */
  readonly unexpectedEnds: number;
  readonly clientRetries: number;
  readonly seconds: number;
}

/** Faults that struck something, by kind. */
export function countedByKind(faults: readonly InflictedFault[]): Readonly<Record<CrashFaultKind, { readonly planned: number; readonly counted: number }>> {
  const of = (kind: CrashFaultKind): readonly InflictedFault[] => faults.filter((fault) => fault.kind === kind);
  return Object.fromEntries(faultKinds.map((kind) => [kind, { planned: of(kind).length, counted: of(kind).filter(({ hit }) => hit).length }])) as never;
}

/** A run for a person. */
export function reportText({ seed, faults, verdicts, planted, audit, unexpectedEnds, clientRetries, seconds }: CrashReport): string {
  const counted = Object.entries(countedByKind(faults)).map(([kind, { planned, counted: hits }]) => `  ${kind.padEnd(18)} ${String(hits).padStart(5)} of ${planned}`);
  const last = verdicts.at(-1);
  const findings = (['lost', 'duplicated', 'unexplained'] as const).map((what) => {
    const { count, named } = last?.[what] ?? { count: 0, named: [] };
    return `  ${what.padEnd(18)} ${String(count).padStart(5)}${named.length === 0 ? '' : `  ${named.join('; ')}`}`;
  });
  return [
    `Seed ${seed}: ${faults.filter(({ hit }) => hit).length} faults struck something in flight, in ${Math.round(seconds)} s.`,
    ...counted,
    '',
    `${last?.acknowledged ?? 0} purchases acknowledged (${clientRetries} requests repeated), ${last?.logRecords ?? 0} records in the topic, ${last?.rows ?? 0} rows in ${last?.files ?? 0} files:`,
    ...findings,
    '',
    `Planted into the table: the loss was ${planted.lossCaught ? '' : 'NOT '}caught, the duplicate was ${planted.duplicateCaught ? '' : 'NOT '}caught.`,
    `Audit: ${audit.said}`,
    ...(unexpectedEnds === 0 ? [] : [`Sinks that ended though nobody killed them: ${unexpectedEnds}`]),
  ].join('\n');
}

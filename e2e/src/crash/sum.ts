import { isClean } from '../proof/compare.ts';
import { faultKinds } from './fault-plan.ts';
import { countedByKind, type CrashReport } from './report.ts';

/** Several runs added up, as Markdown. */
export function sumText(reports: readonly CrashReport[]): string {
  const byKind = reports.map(({ faults }) => countedByKind(faults));
  const kinds = faultKinds.map((kind) => [kind, sum(byKind.map((counts) => counts[kind].counted)), sum(byKind.map((counts) => counts[kind].planned))] as const);
  const runs = reports.map((report) => {
    const { seed, date, faults, verdicts, planted, audit, unexpectedEnds, seconds } = report;
    const last = verdicts.at(-1);
    const caught = planted.lossCaught && planted.duplicateCaught ? 'both' : 'NOT BOTH';
    return `| ${[seed, date, faults.length, faults.filter(({ hit }) => hit).length, verdicts.length, last?.acknowledged ?? 0, ...(['lost', 'duplicated', 'unexplained'] as const).map((what) => last?.[what].count ?? '?'), verdicts.every(isClean) ? 'clean' : 'NOT CLEAN', caught, audit.complete ? 'complete' : 'NOT COMPLETE', unexpectedEnds, Math.round(seconds / 60)].join(' | ')} |`;
  });
  return [
    '| kind | struck something in flight | planned |',
    '| --- | --- | --- |',
    ...kinds.map(([kind, counted, planned]) => `| ${kind} | ${counted} | ${planned} |`),
    `| **all** | **${sum(kinds.map(([, counted]) => counted))}** | ${sum(kinds.map(([, , planned]) => planned))} |`,
    '',
    '| seed | date | faults | counted | counts | acknowledged | lost | duplicated | unexplained | every count | planted and caught | audit | ended by themselves | minutes |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...runs,
  ].join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

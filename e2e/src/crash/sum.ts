import { isClean } from '../proof/compare.ts';
import { faultKinds } from './fault-plan.ts';
import { commandText, countedByKind, kindsText, type CrashReport } from './report.ts';

/** The sum of several runs, as Markdown. */
export function sumText(reports: readonly CrashReport[]): string {
  const byKind = reports.map(({ faults }) => countedByKind(faults));
  const kinds = faultKinds.map(
    (kind) => [kind, sum(byKind.map((counts) => counts[kind].counted)), sum(byKind.map((counts) => counts[kind].planned))] as const,
  );
  const runs = reports.map((report) => {
    const { seed, date, faultsPerRound, faults, verdicts, audits, planted, audit, unexpectedEnds, seconds } = report;
    const last = verdicts.at(-1);
    return {
      seed,
      date,
      kinds: kindsText(report),
      faults: faults.length,
      'faults a round': faultsPerRound ?? '?',
      counted: faults.filter(({ hit }) => hit).length,
      counts: verdicts.length,
      acknowledged: last?.acknowledged ?? 0,
      lost: last?.lost.count ?? '?',
      duplicated: last?.duplicated.count ?? '?',
      unexplained: last?.unexplained.count ?? '?',
      'every count': verdicts.every(isClean) ? 'clean' : 'NOT CLEAN',
      'planted and caught': planted.lossCaught && planted.duplicateCaught ? 'both' : 'NOT BOTH',
      'audit after each round':
        audits === undefined ? 'none' : `${audits.filter(({ complete }) => complete).length} of ${verdicts.length} complete`,
      'deep audit': audit.complete ? 'complete' : 'NOT COMPLETE',
      'ended by themselves': unexpectedEnds,
      minutes: Math.round(seconds / 60),
    };
  });
  return [
    '| kind | struck something in flight | planned |',
    '| --- | --- | --- |',
    ...kinds.map(([kind, counted, planned]) => `| ${kind} | ${counted} | ${planned} |`),
    `| **all** | **${sum(kinds.map(([, counted]) => counted))}** | ${sum(kinds.map(([, , planned]) => planned))} |`,
    '',
    row(Object.keys(runs[0] ?? {})),
    row(Object.keys(runs[0] ?? {}).map(() => '---')),
    ...runs.map((run) => row(Object.values(run))),
    '',
    'The same plans again:',
    '',
    '```',
    ...reports.map(commandText),
    '```',
  ].join('\n');
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

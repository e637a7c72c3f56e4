import type { Flow, FlowProcess } from '@millrace/contracts';
import { countText, durationText } from '../../parts/units.ts';
import { fillOf, outbox, spool } from './disk-stores.ts';
import { runbookSections, sectionOf } from './runbook-sections.ts';
import { mostOf, sumOf } from './samples.ts';

/** A problem that needs an operator's attention. */
export interface FlowProblem {
  readonly severity: 'bad' | 'warn';
  readonly what: string;
  readonly remedy: string;
  /** Section of the runbook, where it has one. */
  readonly section?: string;
}

const stalledSecondsMin = 60;
const fillWarning = 0.8;

/** The problems of the processes, the worst first. Each names its remedy, and its section of the runbook docs/operations.md. */
export function problemsOf(flow: Flow): readonly FlowProblem[] {
  const problems = [...flow.processes.flatMap(processProblems), ...flowProblems(flow)];
  return problems.toSorted((a, b) => Number(a.severity === 'warn') - Number(b.severity === 'warn'));
}

function processProblems({ name, status, dependencies, pipelines }: FlowProcess): FlowProblem[] {
  if (status === 'unreachable')
    return [
      {
        severity: 'bad',
        what: `${name} does not answer.`,
        remedy: `Look whether the process runs: ./millrace status, then its log.`,
        section: runbookSections.firstChecks,
      },
    ];
  if (status === 'refused')
    return [
      {
        severity: 'warn',
        what: `${name} does not accept your credential.`,
        remedy: 'Use a credential with the scope admin that every process knows.',
      },
    ];
  const down = dependencies
    .filter((one) => one.status === 'down' && !one.name.startsWith('circuit-'))
    .map((one): FlowProblem => ({
      severity: one.required ? 'bad' : 'warn',
      what: `${name}: ${one.name} is down${one.detail === undefined ? '' : ` (${one.detail})`}.`,
      remedy: 'The runbook names the effect and the steps.',
      section: sectionOf(one.name),
    }));
  const circuits = pipelines.flatMap(({ name: pipeline, dependency, circuit }): FlowProblem[] => {
    if (circuit === undefined) return [];
    if (circuit.mode === 'forced-open' || circuit.mode === 'forced-closed')
      return [
        {
          severity: 'warn',
          what: `${name}: an operator set the circuit ${pipeline} to ${circuit.mode}.`,
          remedy: 'Give it back on the screen Resilience.',
        },
      ];
    if (circuit.mode === 'disabled' || circuit.state === 'closed') return [];
    const failed = `${countText(circuit.failures)} of ${countText(circuit.calls)} calls failed`;
    return [
      {
        severity: circuit.state === 'open' ? 'bad' : 'warn',
        what: `${name}: the circuit ${pipeline} is ${circuit.state}, ${failed}.`,
        remedy: 'It closes by itself when its dependency answers again. Look at the dependency.',
        section: sectionOf(dependency),
      },
    ];
  });
  return [...down, ...circuits];
}

function flowProblems(flow: Flow): FlowProblem[] {
  const problems: FlowProblem[] = [];
  const refused = sumOf(flow, 'millrace_sink_lanes', { state: 'refused' }) ?? 0;
  if (refused > 0)
    problems.push({
      severity: 'bad',
      what: `${countText(refused)} partitions are refused by the sink: their log or ledger is not the one it expects.`,
      remedy: '/health/ready of the sink names the reason, and the runbook the steps.',
      section: runbookSections.refused,
    });
  const stalled = mostOf(flow, 'millrace_sink_stalled_seconds') ?? 0;
  if (stalled >= stalledSecondsMin)
    problems.push({
      severity: 'bad',
      what: `A partition has waiting events and has not advanced for ${durationText(stalled * 1000)}.`,
      remedy: '/health/ready of the sink names the cause, and the runbook the steps.',
      section: runbookSections.waiting,
    });
  for (const store of [spool, outbox]) {
    const { share, fullInSeconds } = fillOf(flow, store);
    if (share === undefined || share < fillWarning) continue;
    const when = fullInSeconds === undefined ? '' : `, and will be full in ${durationText(fullInSeconds * 1000)}`;
    const what = `The ${store.title.charAt(0).toLowerCase()}${store.title.slice(1)} is ${Math.round(share * 100)} % full${when}.`;
    problems.push({ severity: 'bad', what, remedy: store.remedy, section: store === spool ? runbookSections.s3 : runbookSections.kafka });
  }
  return problems;
}

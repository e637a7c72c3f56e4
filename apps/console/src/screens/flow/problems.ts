import type { Flow, FlowProcess } from '@millrace/contracts';
import { countText, durationText } from '../../parts/units.ts';
import { mostOf, sumOf } from './samples.ts';

/** Something that an operator should look at. */
export interface FlowProblem {
  readonly severity: 'bad' | 'warn';
  readonly what: string;
  readonly remedy: string;
}

const stalledSecondsMin = 60;
const fillWarning = 0.8;

/** The problems of the processes, the worst first. Each names its remedy; the runbook is docs/operations.md. */
export function problemsOf(flow: Flow): readonly FlowProblem[] {
  const problems = [...flow.processes.flatMap(processProblems), ...flowProblems(flow)];
  return problems.toSorted((a, b) => Number(a.severity === 'warn') - Number(b.severity === 'warn'));
}

function processProblems({ name, status, dependencies, pipelines }: FlowProcess): FlowProblem[] {
  if (status === 'unreachable')
    return [
      { severity: 'bad', what: `${name} does not answer.`, remedy: `Look whether the process runs: ./millrace status, then its log.` },
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
      remedy: 'docs/operations.md, "Outages", names the effect and the steps.',
    }));
  const circuits = pipelines.flatMap(({ name: pipeline, circuit }): FlowProblem[] => {
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
    return [
      {
        severity: circuit.state === 'open' ? 'bad' : 'warn',
        what: `${name}: the circuit ${pipeline} is ${circuit.state}, ${countText(circuit.failures)} of ${countText(circuit.calls)} calls failed.`,
        remedy: 'It closes by itself when its dependency answers again. Look at the dependency.',
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
      remedy: '/health/ready of the sink names the reason; docs/operations.md, "Outages", names the steps.',
    });
  const stalled = mostOf(flow, 'millrace_sink_stalled_seconds') ?? 0;
  if (stalled >= stalledSecondsMin)
    problems.push({
      severity: 'bad',
      what: `A partition has waiting events and has not advanced for ${durationText(stalled * 1000)}.`,
      remedy: 'docs/operations.md, "A record that nothing can decode", names the steps.',
    });
  for (const [what, used, limit, full] of [
    ['The spool of the sink', 'millrace_sink_spool_bytes', 'millrace_sink_spool_bytes_max', 'millrace_sink_spool_full_in_seconds'],
    [
      'The outbox of the purchase API',
      'millrace_purchase_outbox_bytes',
      'millrace_purchase_outbox_bytes_max',
      'millrace_purchase_outbox_full_seconds',
    ],
  ] as const) {
    const share = shareOf(flow, used, limit);
    if (share === undefined || share < fillWarning) continue;
    const seconds = mostOf(flow, full);
    problems.push({
      severity: 'bad',
      what: `${what} is ${Math.round(share * 100)} % full${seconds === undefined ? '' : `, and will be full in ${durationText(seconds * 1000)}`}.`,
      remedy: what.includes('spool')
        ? 'Bring S3 back. Kafka holds the events when the spool is full.'
        : 'Bring Kafka back. Purchases are refused when the outbox is full.',
    });
  }
  return problems;
}

/** How full a store is, 0–1; undefined when it is not known. */
export function shareOf(flow: Flow, used: string, limit: string): number | undefined {
  const [bytes, most] = [sumOf(flow, used), sumOf(flow, limit)];
  return bytes === undefined || most === undefined || most === 0 ? undefined : bytes / most;
}

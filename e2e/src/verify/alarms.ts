import { availableParallelism } from 'node:os';
import { runAlarmProof, timeFactor } from '../alarms/alarm-proof.ts';

const { MILLRACE_PROMETHEUS: binary } = process.env;
if (binary === undefined) throw new Error('MILLRACE_PROMETHEUS is not set; start this proof by ./millrace verify alarms');

const { firedInSteadyState, alarms } = await runAlarmProof({ binary, tell: (line) => process.stderr.write(`${line}\n`) });
const passed = firedInSteadyState.length === 0;
process.stdout.write(
  [
    `Alerts of docker/prometheus/rules.yaml on a real Prometheus, their times divided by ${timeFactor}`,
    `(${availableParallelism()} cores, Node ${process.versions.node}):`,
    `  before any fault              ${passed ? 'none fired' : firedInSteadyState.join(', ')}`,
    ...alarms.map(({ what, alert, firedAfterMs }) => `  ${alert.padEnd(28)}  fired after ${(firedAfterMs / 1000).toFixed(1)} s: ${what}`),
    passed ? 'Passed.' : 'Failed: an alert fired before any fault.',
    '',
  ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSecuredFlows } from '../secured/secured-flows.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
if (!(minutes > 0 && minutes <= 120)) throw new Error(`--minutes takes a number above 0, up to 120 (it is "${values.minutes}")`);
if (!(rate >= 10 && rate <= 10_000)) throw new Error(`--rate takes purchases a second, from 10 to 10000 (it is "${values.rate}")`);

const report = await runSecuredFlows({ durationMs: minutes * 60_000, rate, tell: (line) => process.stderr.write(`${line}\n`) });
const passed = report.failures.length === 0;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...report, passed })}\n`
    : [
        `Purchases flowed for ${minutes} minutes by each kind of login at ${rate} a second (${availableParallelism()} cores, Node ${process.versions.node}).`,
        'Sessions ended after 10 s and tokens after 20 s. Each process had the ACLs of docs/security.md and no other.',
        ...report.flows.map(
          ({ login, verdict: { acknowledged, lost, duplicated }, failedRequests, consumerCrashes }) =>
            `  ${login.padEnd(6)} ${acknowledged} acknowledged, ${lost.count} lost, ${duplicated.count} duplicated, ${failedRequests} requests failed, ${consumerCrashes} crashes of the consumer`,
        ),
        `  ${report.tokensIssued} tokens were fetched`,
        passed ? 'Passed.' : `Failed: ${report.failures.join('; ')}.`,
        '',
      ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSinkRebalance, stallMsMax } from '../rebalance/sink-rebalance.ts';

const { values } = parseArgs({ options: { rate: { type: 'string', default: '1000' }, json: { type: 'boolean', default: false } } });
const rate = Number(values.rate);
if (!(rate >= 100 && rate <= 100_000)) throw new Error(`--rate takes purchases a second, from 100 to 100000 (it is "${values.rate}")`);

const report = await runSinkRebalance({
  rate,
  conditions: `${availableParallelism()} cores, Node ${process.versions.node}`,
  tell: (line) => process.stderr.write(`${line}\n`),
});
const passed = report.failures.length === 0;
const longest = (stallsMs: readonly number[]): string => `${(Math.max(...stallsMs) / 1000).toFixed(1)} s`;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...report, passed })}\n`
    : [
        `The longest time for which a partition stood still, at ${rate} purchases a second (${report.conditions}); ${stallMsMax / 1000} s are allowed:`,
        ...report.changes.map(({ what, stallsMs }) => `  ${what.padEnd(28)} ${longest(stallsMs)}`),
        `Of ${report.verdict.acknowledged} acknowledged purchases ${report.verdict.lost.count} lost, ${report.verdict.duplicated.count} duplicated, ${report.verdict.unexplained.count} unexplained.`,
        passed ? 'Passed.' : `Failed: ${report.failures.join('; ')}.`,
        '',
      ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

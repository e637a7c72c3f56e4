import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runS3Outage } from '../outage/s3-outage.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '5000' }, json: { type: 'boolean', default: false } } });
const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
if (!(minutes > 0 && minutes <= 120)) throw new Error(`--minutes takes a number above 0, up to 120 (it is "${values.minutes}")`);
if (!(rate >= 100 && rate <= 100_000)) throw new Error(`--rate takes purchases a second, from 100 to 100000 (it is "${values.rate}")`);

const report = await runS3Outage({ outageMs: minutes * 60_000, rate, conditions: `${availableParallelism()} cores, Node ${process.versions.node}`, tell: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : [
        `S3 was away for ${minutes} minutes while purchases flowed at ${Math.round(report.ratePerSecond)} a second (${report.conditions}).`,
        `  acknowledged       ${report.verdict.acknowledged} of ${report.sent} sent (${report.clientRetries} requests repeated)`,
        `  lost               ${report.verdict.lost.count}`,
        `  duplicated         ${report.verdict.duplicated.count}`,
        `  unexplained        ${report.verdict.unexplained.count}`,
        `  landed after       ${(report.drainedMs / 1000).toFixed(1)} s of S3 being back, at ${Math.round(report.drainRowsPerSecond)} rows a second with live traffic going on`,
        `  memory of the sink ${report.rssMb.first} MB in the first third of the outage, ${report.rssMb.last} MB in the last, ${report.rssMb.max} MB at most`,
        '',
      ].join('\n'),
);
process.exitCode = report.passed ? 0 : 1;

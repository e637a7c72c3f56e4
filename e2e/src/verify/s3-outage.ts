import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runS3Outage } from '../outage/s3-outage.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
if (!(minutes > 0 && minutes <= 120)) throw new Error(`--minutes takes a number above 0, up to 120 (it is "${values.minutes}")`);
if (!(rate >= 100 && rate <= 100_000)) throw new Error(`--rate takes purchases a second, from 100 to 100000 (it is "${values.rate}")`);

const report = await runS3Outage({
  outageMs: minutes * 60_000,
  rate,
  conditions: `${availableParallelism()} cores, Node ${process.versions.node}`,
  tell: (line) => process.stderr.write(`${line}\n`),
});
const passed = report.failures.length === 0;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...report, passed })}\n`
    : [
        `S3 was away for ${minutes} minutes while ${Math.round(report.ratePerSecond)} purchases a second were acknowledged of ${rate} asked for (${report.conditions}).`,
        `  acknowledged       ${report.verdict.acknowledged} of ${report.sent} sent (${report.clientRetries} requests repeated; behind the rate for ${(report.behindMs / 1000).toFixed(1)} s)`,
        `  lost               ${report.verdict.lost.count}`,
        `  duplicated         ${report.verdict.duplicated.count}`,
        `  unexplained        ${report.verdict.unexplained.count}`,
        `  landed after       ${(report.drainedMs / 1000).toFixed(1)} s of S3 being back, at ${Math.round(report.drainRowsPerSecond)} rows a second, ${(report.drainRowsPerSecond / rate).toFixed(1)} times the live rate; ${Math.round(report.liveRatePerSecond)} purchases a second went on meanwhile`,
        `  memory of the sink ${report.rssMb.first} MB in the first third of the outage, ${report.rssMb.last} MB in the last, ${report.rssMb.max} MB at most`,
        passed ? 'Passed.' : `Failed: ${report.failures.join('; ')}.`,
        '',
      ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

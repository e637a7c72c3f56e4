import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { PeriodFigures } from '../purchase-load/load-failures.ts';
import { runPurchaseLoad } from '../purchase-load/purchase-load.ts';
import { wholeNumberOption } from '../whole-number-option.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
if (!(seconds >= 20 && seconds <= 3600)) throw new Error(`--seconds takes a number from 20 to 3600 (it is "${values.seconds}")`);
const clients = wholeNumberOption('clients', values.clients, 1, 1000);

const report = await runPurchaseLoad({ durationMs: seconds * 1000, clients, tell: (line) => process.stderr.write(`${line}\n`) });
const passed = report.failures.length === 0;
const { verdict } = report;
const answersText = ({ kafka, disk, refused, unanswered, p50Ms, p99Ms }: PeriodFigures): string =>
  `${kafka} from Kafka, ${disk} from disk, ${refused} refused with Retry-After, ${unanswered} cut by the kill; p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...report, passed })}\n`
    : [
        `${clients} clients sent single purchases for ${seconds} s (${availableParallelism()} cores, Node ${process.versions.node}).`,
        `Kafka was killed twice, Redis and the purchase API once; ${report.swallowed} Produce answers were swallowed.`,
        `  acknowledged       ${verdict.acknowledged} of ${report.sent} sent; ${Math.round(report.ratePerSecond)} a second`,
        `  while Kafka was down  ${answersText(report.outages)}`,
        `  at other times     ${answersText(report.rest)}`,
        `  in the topic       ${verdict.logRecords} records, ${report.repeated} of them repetitions; ${report.disorder.count} in the wrong order for their buyer`,
        `  in the table       ${verdict.rows} rows; ${verdict.lost.count} lost, ${verdict.duplicated.count} duplicated, ${verdict.unexplained.count} unexplained`,
        passed ? 'Passed.' : `Failed: ${report.failures.join('; ')}.`,
        '',
      ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runKafkaOutage } from '../purchase-load/kafka-outage.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
if (!(minutes > 0 && minutes <= 120)) throw new Error(`--minutes takes a number above 0, up to 120 (it is "${values.minutes}")`);
if (!(rate >= 100 && rate <= 20_000)) throw new Error(`--rate takes purchases a second, from 100 to 20000 (it is "${values.rate}")`);

const report = await runKafkaOutage({ outageMs: minutes * 60_000, rate, tell: (line) => process.stderr.write(`${line}\n`) });
const passed = report.failures.length === 0;
const { answers, verdict, rssMb, backlog } = report;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...report, passed })}\n`
    : [
        `Kafka was down for ${minutes} minutes at ${rate} single purchases a second (${availableParallelism()} cores, Node ${process.versions.node}).`,
        `The purchase API was killed in the middle and was away for ${(report.serviceAwayMs / 1000).toFixed(1)} s.`,
        `  acknowledged       ${verdict.acknowledged} of ${report.sent} sent; ${Math.round(report.ratePerSecond)} a second while Kafka was down and the service ran`,
        `  answers            ${answers.disk} from disk, ${answers.kafka} from Kafka, ${answers.refused} refused with Retry-After, ${answers.unanswered} cut by the kill`,
        `  time of an answer  p50 ${answers.p50Ms.toFixed(1)} ms, p99 ${answers.p99Ms.toFixed(1)} ms`,
        ...rssMb.map(
          ({ first, last, max }, index) =>
            `  memory             ${first} MB in the first third, ${last} MB in the last, ${max} MB at most, ${index === 0 ? 'before' : 'after'} the kill`,
        ),
        `  backlog            ${backlog.events} events of ${Math.round(backlog.bytes / 1024 / 1024)} MB`,
        `  drained after      ${(report.drainedMs / 1000).toFixed(1)} s of Kafka being back, at ${Math.round(report.drainPerSecond)} events a second, ${(report.drainPerSecond / rate).toFixed(1)} times the live rate; ${Math.round(report.liveRatePerSecond)} purchases a second went on meanwhile`,
        `  in the topic       ${verdict.logRecords} records, ${report.repeated} of them repetitions; ${report.disorder.count} in the wrong order for their buyer`,
        `  in the table       ${verdict.rows} rows; ${verdict.lost.count} lost, ${verdict.duplicated.count} duplicated, ${verdict.unexplained.count} unexplained`,
        passed ? 'Passed.' : `Failed: ${report.failures.join('; ')}.`,
        '',
      ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

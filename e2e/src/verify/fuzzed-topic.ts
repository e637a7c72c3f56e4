import { parseArgs } from 'node:util';
import { runFuzzedTopic } from '../fuzz/fuzzed-topic.ts';
import { wholeNumberOption } from '../whole-number-option.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const numbers = {
  records: wholeNumberOption('records', values.records, 0, 10_000_000),
  seed: wholeNumberOption('seed', values.seed, 0, 2 ** 32 - 1),
  kills: wholeNumberOption('kills', values.kills, 0, 100),
};

// One of two seeds has the time of the broker.
const report = await runFuzzedTopic({ ...numbers, appendTime: numbers.seed % 2 === 0, tell: (line) => process.stderr.write(`${line}\n`) });
const accounted = report.rows + report.rejects + report.duplicates;
const passed = report.failures.length === 0;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...report, passed })}\n`
    : [
        `${report.records} records in ${report.batches} batches, seed ${numbers.seed}, ${report.kills} kills of the sink:`,
        `  ${report.committed} transactions committed, ${report.aborted} aborted with ${report.hidden} records`,
        `  ${report.rows} rows + ${report.rejects} rejects + ${report.duplicates} duplicates = ${accounted}`,
        `  ${report.absent} offsets without a visible record; ${report.seconds} s`,
        passed ? 'Passed.' : `Failed: ${report.failures.join('; ')}.`,
        '',
      ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

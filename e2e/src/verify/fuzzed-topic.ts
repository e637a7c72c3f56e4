import { parseArgs } from 'node:util';
import { runFuzzedTopic } from '../fuzz/fuzzed-topic.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const numbers = { records: Number(values.records), seed: Number(values.seed), kills: Number(values.kills) };
for (const [name, value, max] of [
  ['records', numbers.records, 10_000_000],
  ['seed', numbers.seed, 2 ** 32 - 1],
  ['kills', numbers.kills, 100],
] as const) {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new Error(`--${name} takes a whole number from 0 to ${max} (it is "${values[name]}")`);
}

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

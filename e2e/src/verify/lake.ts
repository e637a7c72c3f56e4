import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runLakeFaults } from '../lake-faults/lake-faults.ts';
import { lakeFailures, lakeReportText } from '../lake-faults/lake-report.ts';
import { wholeNumberOption } from '../whole-number-option.ts';

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '500' },
    seed: { type: 'string' },
    round: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
  },
});

const report = await runLakeFaults({
  faults: wholeNumberOption('faults', values.faults, 1, 100_000),
  seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000) + 1 : wholeNumberOption('seed', values.seed, 1, 4_294_967_295),
  faultsPerRound: wholeNumberOption('round', values.round, 1, 10_000),
  conditions: `${availableParallelism()} cores, Node ${process.versions.node}`,
  tell: (line) => process.stderr.write(`${line}\n`),
});
const failures = lakeFailures(report);
process.stdout.write(`${values.json ? JSON.stringify({ ...report, failures }) : lakeReportText(report)}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;

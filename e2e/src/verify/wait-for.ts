import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { waitForFailures, waitForText } from '../wait-for/wait-for-report.ts';
import { runWaitFor } from '../wait-for/wait-for.ts';
import { wholeNumberOption } from '../whole-number-option.ts';

const { TRINO_URL: trinoUrl, MILLRACE_TRINO_MISSING: missing = 'TRINO_URL is not set' } = process.env;
if (trinoUrl === undefined) throw new Error(`This proof needs Trino: ${missing}.`);

const { values } = parseArgs({
  options: {
    purchases: { type: 'string', default: '200' },
    concurrent: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});

const conditions = `${availableParallelism()} cores, Node ${process.versions.node}`;
const rows = await runWaitFor({
  purchases: wholeNumberOption('purchases', values.purchases, 1, 10_000),
  concurrent: wholeNumberOption('concurrent', values.concurrent, 1, 100),
  trinoUrl,
  tell: (line) => process.stderr.write(`${line}\n`),
});
const failures = waitForFailures(rows);
process.stdout.write(`${values.json ? JSON.stringify({ conditions, rows, failures }) : waitForText(rows, conditions)}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;

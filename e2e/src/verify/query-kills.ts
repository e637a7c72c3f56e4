import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { FaultAmidQueries } from '../query-kills/query-kill-failures.ts';
import { runQueryKills } from '../query-kills/query-kills.ts';
import { wholeNumberOption } from '../whole-number-option.ts';

const { TRINO_URL: trinoUrl, MILLRACE_TRINO_MISSING: missing = 'TRINO_URL is not set' } = process.env;
if (trinoUrl === undefined) throw new Error(`This proof needs Trino for its local Athena: ${missing}.`);

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    queries: { type: 'string', default: '100' },
    concurrent: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});

const report = await runQueryKills({
  kills: wholeNumberOption('kills', values.kills, 1, 1000),
  queries: wholeNumberOption('queries', values.queries, 20, 900),
  concurrent: wholeNumberOption('concurrent', values.concurrent, 1, 900),
  trinoUrl,
  conditions: `${availableParallelism()} cores, Node ${process.versions.node}`,
  tell: (line) => process.stderr.write(`${line}\n`),
});
const passed = report.failures.length === 0;
const { startKills, stuckReads } = report;
const failures = (failed: Readonly<Record<string, number>>): string =>
  Object.entries(failed)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ') || 'none';
const amid = ({ queries, endedBefore, ends, executedTwice }: FaultAmidQueries): string =>
  `${queries} queries, ${endedBefore} ended before: ${ends.succeeded} succeeded, failed: ${failures(ends.failed)}, ${ends.lost} lost, ${executedTwice} executed twice`;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...report, passed })}\n`
    : [
        `Query workers, Redis and S3 under faults (${report.conditions}):`,
        `  ${startKills.kills} workers killed around Start: ${startKills.succeeded} queries succeeded, ${startKills.executedTwice} executed twice, ${startKills.neverExecuted} never`,
        `  all workers killed: ${amid(report.allWorkersKilled)}`,
        `  Redis restarted: ${amid(report.redisRestarted)}`,
        ...report.concurrent.map(
          ({ engine, queries, ends, seconds }) => `  ${queries} at once on ${engine}: ${ends.succeeded} succeeded in ${seconds} s`,
        ),
        `  Athena p99: ${stuckReads.aloneP99Ms} ms alone, ${stuckReads.besideP99Ms} ms beside ${stuckReads.stillStuck} statements that hang on S3`,
        passed ? 'Passed.' : `Failed: ${report.failures.join('; ')}.`,
        '',
      ].join('\n'),
);
process.exitCode = passed ? 0 : 1;

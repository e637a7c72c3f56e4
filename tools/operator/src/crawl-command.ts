import { crawlPolicies, crawlTable, tablePrefix, type CrawlDifference, type CrawlReport } from '@millrace/lake';
import { openTarget } from '@millrace/operations';
import { Arguments } from './arguments.ts';
import { OperatorError } from './errors.ts';
import type { OperatorContext } from './operator-context.ts';

const exitCodes = { equal: 0, applied: 0, differs: 2, refused: 1 } as const;

/** Maximum number of differences on the screen. `--json` has a thousand. */
const shownMax = 40;

const verdicts: Readonly<Record<CrawlReport['verdict'], string>> = {
  equal: 'the catalog agrees with the files',
  applied: 'the catalog was changed and agrees with the files now',
  differs: 'the catalog differs from the files, and the policy leaves it as it is',
  refused: 'some differences were refused, because a change of the catalog would break readers',
};

/** Runs `./millrace crawl`. Exit code 0: the catalog agrees with the files. 2: differences were only logged. 1: some were refused. */
export async function crawlCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const usage = `./millrace crawl [--policy ${crawlPolicies.join('|')}] [--json] [--table T]`;
  const given = Arguments.read(args, { usage, flags: ['--json'], values: ['--policy', '--table'] });
  const policy = crawlPolicies.find((one) => one === (given.value('--policy') ?? 'log'));
  if (policy === undefined) throw new OperatorError(`"${given.value('--policy')}" is not a policy. Usage: ${usage}`);
  const target = openTarget(context.env, { table: given.value('--table') });
  try {
    const { store, catalog, glueTable, stream, bucket } = target.lake;
    const { table, database, partitionKey } = stream;
    const location = `s3://${bucket}/${tablePrefix(table)}`;
    const parts = { store, catalog, glue: glueTable, table, location, database, partitionKey, now: Date.now };
    const report = await crawlTable(parts, policy, { signal: context.signal });
    if (given.has('--json')) context.out.line(JSON.stringify(report));
    else for (const line of crawlText(report, context)) context.out.line(line);
    return exitCodes[report.verdict];
  } finally {
    target.close();
  }
}

function crawlText({ database, table, verdict, partitions, filesRead, differences }: CrawlReport, context: OperatorContext): string[] {
  const head = `Table ${database}.${table}: ${verdicts[verdict]}. ${partitions} days with files; the footers of ${filesRead} files were read.`;
  if (differences.length === 0) return [head];
  const rows = differences
    .slice(0, shownMax)
    .map(({ kind, name, found = '', catalog = '', action }: CrawlDifference) => [kind, name, found, catalog, action]);
  const more = differences.length - rows.length;
  return [
    head,
    '',
    context.table(['difference', 'name', 'files', 'catalog', 'action'], rows),
    ...(more > 0 ? [`… and ${more} more; --json names them.`] : []),
  ];
}

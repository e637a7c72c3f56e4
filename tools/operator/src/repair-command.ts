import { counted, grouped, openTarget, repairTable, type RepairResult, type Target } from '@millrace/operations';
import { Arguments } from './arguments.ts';
import { OperatorError } from './errors.ts';
import type { OperatorContext } from './operator-context.ts';
import { repairUndecodableCommand, undecodableUsage } from './repair-undecodable-command.ts';
import { showProgress } from './show-progress.ts';

const usage = `./millrace repair [--apply] [--json] [--table T]\n  ${undecodableUsage}`;

/**
 * Runs `./millrace repair`: repairs deleted files, or permits the sink to skip a batch that cannot be decoded. Without `--apply` it only
 * plans.
 */
export async function repairCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const given = Arguments.read(args, {
    usage,
    flags: ['--apply', '--json', '--undecodable'],
    values: ['--table', '--partition', '--offset'],
  });
  const { partition, offset } = { partition: given.integer('--partition'), offset: given.integer('--offset') };
  const undecodable = given.has('--undecodable');
  if (undecodable !== (partition !== undefined) || undecodable !== (offset !== undefined)) {
    throw new OperatorError(
      `--undecodable, --partition and --offset belong together: /health/ready of the sink names the place. Usage: ${usage}`,
    );
  }
  const shape = { apply: given.has('--apply'), json: given.has('--json') };
  const target = openTarget(context.env, { table: given.value('--table') });
  try {
    if (partition !== undefined && offset !== undefined)
      return await repairUndecodableCommand(target, { partition, offset }, shape, context);
    return await repairFiles(target, shape, context);
  } finally {
    target.close();
  }
}

async function repairFiles(
  { lake }: Target,
  { apply, json }: { readonly apply: boolean; readonly json: boolean },
  context: OperatorContext,
): Promise<number> {
  const { out, progress, signal } = context;
  const result = await showProgress(
    progress,
    { search: 'Search for missing files', repair: (files) => `Repair ${counted(files, 'file')}` },
    async (onProgress) => await repairTable(lake, { apply, signal, onProgress }),
  );
  if (json) out.line(JSON.stringify(result));
  else for (const line of repairText(result, lake.stream.table, context)) out.line(line);
  return 0;
}

function repairText({ applied, files }: RepairResult, name: string, { table }: Pick<OperatorContext, 'table'>): string[] {
  if (files.length === 0) return [`Every file of table ${name} is there.`];
  const what = {
    publish: applied ? 'published again' : 'publish the staged copy',
    'record-loss': applied ? 'recorded as lost' : 'record the loss',
  };
  const rows = files.map((file) => [
    String(file.partition),
    `${grouped(file.from)}–${grouped(file.to - 1)}`,
    grouped(file.rows),
    what[file.action],
    file.key,
  ]);
  const lost = files.filter(({ action }) => action === 'record-loss').reduce((sum, file) => sum + file.rows, 0);
  const verb = applied ? (lost === 1 ? 'was recorded' : 'were recorded') : 'would be recorded';
  const better =
    lost === 0
      ? ''
      : ' If the bucket keeps versions, restore the file instead. If the topic has the events, ./millrace replay restores the rows.';
  return [
    table(['partition', 'offsets', 'rows', applied ? 'what was done' : 'what would be done', 'file'], rows),
    '',
    `${counted(lost, 'row')} ${verb} as lost; ./millrace audit keeps naming the loss.${better}${applied ? '' : ' Nothing was done: --apply does it.'}`,
  ];
}

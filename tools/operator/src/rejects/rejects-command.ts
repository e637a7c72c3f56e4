import { openTarget, type Target } from '@millrace/operations';
import { Arguments, type ArgumentShape } from '../arguments.ts';
import { OperatorError } from '../errors.ts';
import type { OperatorContext } from '../operator-context.ts';
import { listUsage, rejectsList } from './rejects-list.ts';
import { redriveUsage, rejectsRedrive } from './rejects-redrive.ts';
import { rejectsShow, showUsage } from './rejects-show.ts';

interface Subcommand {
  readonly shape: ArgumentShape;
  readonly run: (target: Target, given: Arguments, context: OperatorContext) => Promise<number>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  list: { shape: { usage: listUsage, flags: ['--json'], values: ['--partition', '--limit', '--table'] }, run: rejectsList },
  show: {
    shape: { usage: showUsage, flags: ['--json'], values: ['--partition', '--limit', '--out', '--table'], words: ['PARTITION/OFFSET?'] },
    run: rejectsShow,
  },
  redrive: { shape: { usage: redriveUsage, flags: ['--apply', '--json'], values: ['--table'], words: ['FILE'] }, run: rejectsRedrive },
};

/** Runs `./millrace rejects list|show|redrive`: shows the records that broke the contract and produces the corrected ones. */
export async function rejectsCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const [name, ...rest] = args;
  const subcommand = name === undefined ? undefined : subcommands[name];
  if (subcommand === undefined)
    throw new OperatorError(
      `${name === undefined ? 'A subcommand is missing' : `"${name}" is not known here`}: list, show or redrive.\n  ${listUsage}\n  ${showUsage}\n  ${redriveUsage}`,
    );
  const given = Arguments.read(rest, subcommand.shape);
  const target = openTarget(context.env, { table: given.value('--table') });
  try {
    return await subcommand.run(target, given, context);
  } finally {
    target.close();
  }
}

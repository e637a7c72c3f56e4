import { Arguments, type ArgumentShape } from '../arguments.ts';
import { OperatorError } from '../errors.ts';
import { openLake, type Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';
import { listUsage, rejectsList } from './rejects-list.ts';
import { redriveUsage, rejectsRedrive } from './rejects-redrive.ts';
import { rejectsShow, showUsage } from './rejects-show.ts';

interface Subcommand {
  readonly shape: ArgumentShape;
  readonly run: (lake: Lake, given: Arguments, context: OperatorContext) => Promise<number>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  list: { shape: { usage: listUsage, flags: ['--json'], values: ['--partition', '--limit', '--table'] }, run: rejectsList },
  show: { shape: { usage: showUsage, flags: ['--json'], values: ['--partition', '--limit', '--out', '--table'], words: ['PARTITION/OFFSET?'] }, run: rejectsShow },
  redrive: { shape: { usage: redriveUsage, flags: ['--apply', '--json'], values: ['--table'], words: ['FILE'] }, run: rejectsRedrive },
};

/** `./millrace rejects list|show|redrive`: what broke the contract, and the way back for what was corrected. */
export async function rejectsCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const [name, ...rest] = args;
  const subcommand = name === undefined ? undefined : subcommands[name];
  if (subcommand === undefined) throw new OperatorError(`${name === undefined ? 'Say what to do with the rejects' : `"${name}" is not known here`}: list, show or redrive.\n  ${listUsage}\n  ${showUsage}\n  ${redriveUsage}`);
  const given = Arguments.read(rest, subcommand.shape);
  const lake = openLake(context.env, given.value('--table'));
  try {
    return await subcommand.run(lake, given, context);
  } finally {
    lake.close();
  }
}

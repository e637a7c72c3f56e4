import { audit, openTarget } from '@millrace/operations';
import { Arguments } from './arguments.ts';
import { auditText } from './audit-text.ts';
import type { OperatorContext } from './operator-context.ts';
import { showProgress } from './show-progress.ts';

const exitCodes = { complete: 0, faulty: 1, losses: 2 } as const;

/**
 * Runs `./millrace audit`. Exit code 0: the table is complete. 2: everything adds up, and known events are lost. 1: something does not add
 * up.
 */
export async function auditCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const given = Arguments.read(args, {
    usage: './millrace audit [--deep] [--json] [--table T]',
    flags: ['--deep', '--json'],
    values: ['--table'],
  });
  const target = openTarget(context.env, { table: given.value('--table') });
  try {
    const { report, log } = await showProgress(
      context.progress,
      { audit: `Audit of ${target.lake.stream.table}` },
      async (onProgress) => await audit(target, { deep: given.has('--deep'), signal: context.signal, onProgress }),
    );
    if (given.has('--json')) {
      context.out.line(JSON.stringify(report));
    } else {
      for (const line of auditText(report, context, log)) context.out.line(line);
    }
    return exitCodes[report.verdict];
  } finally {
    target.close();
  }
}

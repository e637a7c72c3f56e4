import { counted, grouped, openTarget, rebuildProjection, type RebuildProjectionResult } from '@millrace/operations';
import { Arguments } from './arguments.ts';
import type { OperatorContext } from './operator-context.ts';
import { showProgress } from './show-progress.ts';

/** Runs `./millrace lake rebuild`. Exit code 0: the Iceberg table was made anew. 2: it was, and lacks rows of files that are lost. */
export async function lakeRebuildCommand(args: readonly string[], { env, out, progress, signal }: OperatorContext): Promise<number> {
  const given = Arguments.read(args, { usage: './millrace lake rebuild [--json] [--table T]', flags: ['--json'], values: ['--table'] });
  const target = openTarget(env, { table: given.value('--table') });
  const snapshotSeconds = Number(env['PROJECTOR_SNAPSHOT_SECONDS']);
  const snapshotMs = snapshotSeconds >= 0 ? snapshotSeconds * 1000 : undefined;
  try {
    const result = await showProgress(
      progress,
      { rebuild: `Rebuild of the Iceberg table of ${target.lake.stream.table}` },
      async (onProgress) => await rebuildProjection(target.lake, { snapshotMs, signal, onProgress }),
    );
    if (given.has('--json')) out.line(JSON.stringify(result));
    else for (const line of rebuildText(result)) out.line(line);
    return result.after.lostRows > 0 ? 2 : 0;
  } finally {
    target.close();
  }
}

function rebuildText({ table, before, after, inCatalog }: RebuildProjectionResult): string[] {
  const lines = [
    `The Iceberg table of ${table} was made anew by commit ${grouped(after.n)}: ${counted(after.rows, 'row')} in ${counted(after.files, 'file')}.`,
    before === null
      ? 'There was no such table before.'
      : `Before: ${counted(before.rows, 'row')} in ${counted(before.files, 'file')}, at commit ${grouped(before.n)}.`,
  ];
  if (after.lostRows > 0) lines.push(`${counted(after.lostRows, 'row')} of lost files are not in it: ./millrace audit names them.`);
  if (!inCatalog) lines.push('Glue does not name the new commit yet: the next round of the projector moves the pointer.');
  return lines;
}

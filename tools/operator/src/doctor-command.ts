import { diagnose, openTarget, type Finding } from '@millrace/operations';
import { streams } from '@millrace/contracts';
import { Arguments } from './arguments.ts';
import type { OperatorContext } from './operator-context.ts';

const signs: Readonly<Record<Finding['state'], string>> = { sound: '✓', note: '·', risk: '!', fault: '✗' };

/** Runs `./millrace doctor`. Exit code 0: all is sound, with or without notes. 2: there are risks. 1: a part is at fault. */
export async function doctorCommand(args: readonly string[], { env, out, progress, signal }: OperatorContext): Promise<number> {
  const given = Arguments.read(args, { usage: './millrace doctor [--json]', flags: ['--json'] });
  const tables: { readonly table: string; readonly findings: readonly Finding[] }[] = [];
  for (const { table } of streams) {
    const target = openTarget(env, table === streams[0]!.table ? {} : { table });
    try {
      const findings = await progress.step(
        `Check the parts of ${table}`,
        async (note) => await diagnose(target, { signal, onProgress: ({ phase }) => note(phase) }),
      );
      tables.push({ table, findings });
    } finally {
      target.close();
    }
  }
  const states = new Set(tables.flatMap(({ findings }) => findings.map(({ state }) => state)));
  if (given.has('--json')) out.line(JSON.stringify({ tables }));
  else for (const { findings } of tables) for (const { state, text } of findings) out.line(`${signs[state]} ${text}`);
  return states.has('fault') ? 1 : states.has('risk') ? 2 : 0;
}

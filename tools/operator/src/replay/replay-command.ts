import { join } from 'node:path';
import { counted, openTarget, replayTable, replayTableName, type Lake, type ReplayReport } from '@millrace/operations';
import { Arguments } from '../arguments.ts';
import { OperatorError } from '../errors.ts';
import type { OperatorContext } from '../operator-context.ts';
import { showProgress } from '../show-progress.ts';
import { replayText } from './replay-text.ts';

const usage = './millrace replay [--from T] [--to T] [--into TABLE] [--switch [--force]] [--limit N] [--json] [--table T]';

/** Runs `./millrace replay`. Exit code 0: the rebuilt table equals the live one. 1: rows differ, or the switch was refused. */
export async function replayCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const { env, out, progress, root, signal } = context;
  const given = Arguments.read(args, {
    usage,
    flags: ['--switch', '--force', '--json'],
    values: ['--from', '--to', '--into', '--limit', '--table'],
  });
  const [from, to] = [timeIn(given, '--from'), timeIn(given, '--to')];
  const switchCatalog = given.has('--switch');
  const live = openTarget(env, { table: given.value('--table') });
  const into = given.value('--into') ?? replayTableName(live.lake.stream.table, new Date());
  const titles = { plan: 'Plan', rebuild: `Replay into ${into}`, compare: 'Compare', switch: 'Switch the catalog' };
  let phase: keyof typeof titles | undefined;
  try {
    const report = await showProgress(
      progress,
      titles,
      async (onProgress) =>
        await replayTable(live, {
          into,
          from,
          to,
          switchCatalog,
          force: given.has('--force'),
          sink: { main: join(root, 'apps/sink/dist/main.js'), env },
          sinkGroupId: env['SINK_GROUP_ID'] ?? 'millrace-sink',
          signal,
          onProgress(step) {
            phase = step.phase;
            onProgress(step);
          },
        }),
    );
    const refusal = switchCatalog && !report.switched ? refusalOf(report) : undefined;
    if (given.has('--json')) out.line(JSON.stringify(report));
    else
      for (const line of [...replayText(report, given.integer('--limit', 0) ?? 20, context), ...nextSteps(report, live.lake, refusal)])
        out.line(line);
    return report.equal && refusal === undefined ? 0 : 1;
  } catch (error) {
    if (phase === 'rebuild') progress.line(`The replayed rows are kept: --into ${into} continues from there.`);
    throw error;
  } finally {
    live.close();
  }
}

function refusalOf({ equal, notReplayable }: ReplayReport): string {
  return equal ? `${counted(notReplayable, 'live row')} cannot be replayed and would be missing` : 'rows differ';
}

function nextSteps(
  { switched, replay, equal }: ReplayReport,
  live: Pick<Lake, 'stream' | 'catalogTable'>,
  refusal: string | undefined,
): string[] {
  if (switched) {
    return [
      '',
      `The catalog's ${live.catalogTable} is at ${replay} now. Start every sink with`,
      `  SINK_TABLE=${replay} SINK_CATALOG_TABLE=${live.catalogTable}`,
      `and give ./millrace the same from now on. No reader sees the rows of a sink that still writes ${live.stream.table}.`,
    ];
  }
  if (refusal !== undefined) return ['', `Not switched: ${refusal}. --force switches anyway.`];
  return [
    '',
    `${equal ? `Stop the sinks and run ./millrace replay --into ${replay} --switch to put it in the place of ${live.stream.table}; or` : 'After use,'} delete the prefixes ${replay}/ and _*/${replay}/ and the table ${replay} in the catalog.`,
  ];
}

function timeIn(given: Arguments, name: string): Date | undefined {
  const text = given.value(name);
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime()))
    throw new OperatorError(`${name} must be a time such as 2026-11-25T09:00:00Z, at which Kafka took the events; it is "${text}".`);
  return time;
}

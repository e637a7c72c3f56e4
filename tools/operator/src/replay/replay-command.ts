import type { Admin } from 'kafkajs';
import { Arguments } from '../arguments.ts';
import { dedupOffsetsOf } from '../dedup-offsets.ts';
import { Duck } from '../duck.ts';
import { OperatorError } from '../errors.ts';
import { logRanges, withAdmin } from '../kafka-log.ts';
import { landedEnds } from '../landed-ends.ts';
import { counted } from '../numbers.ts';
import { openLake, type Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';
import { compareTables, type ComparedRange } from './compare-tables.ts';
import { rebuild } from './rebuild.ts';
import { offsetsOf, planReplay, replayTableName, type PartitionPlan } from './replay-plan.ts';
import { replayText, type ReplayReport } from './replay-report.ts';
import { refuseRunningSinks, switchTable } from './switch-table.ts';

const usage = './millrace replay [--from T] [--to T] [--into TABLE] [--switch [--force]] [--limit N] [--json] [--table T]';

/** `./millrace replay`: exit code 0 when the rebuilt table is the live one, 1 when rows differ. */
export async function replayCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const { env, out, progress, signal } = context;
  const started = performance.now();
  const given = Arguments.read(args, { usage, flags: ['--switch', '--force', '--json'], values: ['--from', '--to', '--into', '--limit', '--table'] });
  const [from, to] = [timeIn(given, '--from'), timeIn(given, '--to')];
  const switching = given.has('--switch');
  if (switching && (from !== undefined || to !== undefined)) throw new OperatorError('A part of the table cannot stand in for all of it: --switch takes no --from and no --to.');
  const live = openLake(env, given.value('--table'));
  const into = given.value('--into') ?? replayTableName(live.stream.table, new Date());
  const replay = openLake(env, into, live.catalogTable);
  try {
    if (into === live.stream.table) throw new OperatorError(`${into} is the live table: a replay is written beside it.`);
    if (switching) await refuseRunningSinks(env);
    const plan = await progress.step('Plan', async () => await withAdmin(env, async (admin) => await planOf(admin, live, from, to, env)));
    if (offsetsOf(plan) === 0) throw new OperatorError(`${live.stream.topic.name} has no event${from === undefined && to === undefined ? '' : ' of that time'}: there is nothing to replay.`);
    await progress.step(`Replay into ${into}`, async (note) => await rebuild(replay, plan, context, note)).catch((error: unknown) => {
      progress.line(`What was replayed so far is kept: --into ${into} goes on from there.`);
      throw error;
    });
    const ends = await landedEnds(live, signal);
    const ranges = plan.map(({ partition, low, from: first, to: last }): ComparedRange => ({ partition, low, from: first, to: Math.max(first, Math.min(last, ends.get(partition)?.landed ?? 0)) }));
    const comparison = await progress.step('Compare', async (note) => await compare(live, replay, ranges, context, note));
    const equal = comparison.differing === 0;
    const refusal = switching && !given.has('--force') ? refusalOf(equal, comparison.notReplayable) : undefined;
    if (switching && refusal === undefined) {
      await refuseRunningSinks(env);
      await progress.step('Switch the catalog', async (note) => note(counted((await switchTable(replay, context)).length, 'partition')));
    }
    const report: ReplayReport = {
      v: 1,
      table: live.stream.table,
      replay: into,
      topic: live.stream.topic.name,
      ...(from === undefined ? {} : { from: from.toISOString() }),
      ...(to === undefined ? {} : { to: to.toISOString() }),
      partitions: ranges,
      comparedOffsets: ranges.reduce((sum, range) => sum + (range.to - range.from), 0),
      notReplayableOffsets: ranges.reduce((sum, { low }) => sum + low, 0),
      equal,
      switched: switching && refusal === undefined,
      ...comparison,
      tookMs: Math.round(performance.now() - started),
    };
    if (given.has('--json')) out.line(JSON.stringify(report));
    else for (const line of [...replayText(report, given.integer('--limit', 0) ?? 20, context), ...nextSteps(report, live, refusal)]) out.line(line);
    return equal && refusal === undefined ? 0 : 1;
  } finally {
    live.close();
    replay.close();
  }
}

async function planOf(admin: Admin, { stream }: Lake, from: Date | undefined, to: Date | undefined, env: Readonly<Record<string, string>>): Promise<PartitionPlan[]> {
  const topic = stream.topic.name;
  const offsetsAt = async (time: Date | undefined): Promise<ReadonlyMap<number, number> | undefined> =>
    time === undefined ? undefined : new Map((await admin.fetchTopicOffsetsByTimestamp(topic, time.getTime())).map(({ partition, offset }) => [partition, Number(offset)]));
  return planReplay({ log: await logRanges(admin, topic), starts: await offsetsAt(from), ends: await offsetsAt(to), dedupOffsets: dedupOffsetsOf(env) });
}

async function compare(live: Lake, replay: Lake, ranges: readonly ComparedRange[], { env, signal }: OperatorContext, note: (text: string) => void): ReturnType<typeof compareTables> {
  const duck = await Duck.open();
  try {
    await duck.withS3(env);
    return await compareTables({ live, replay, ranges, duck, signal, note });
  } finally {
    duck.close();
  }
}

function refusalOf(equal: boolean, notReplayable: number): string | undefined {
  if (!equal) return 'rows differ';
  return notReplayable > 0 ? `${counted(notReplayable, 'live row')} cannot be replayed and would go` : undefined;
}

function nextSteps({ switched, replay, equal }: ReplayReport, live: Lake, refusal: string | undefined): string[] {
  if (switched) {
    return ['', `The catalog's ${live.catalogTable} is at ${replay} now. Start every sink with`, `  SINK_TABLE=${replay} SINK_CATALOG_TABLE=${live.catalogTable}`, `and give ./millrace the same from now on. One that still writes ${live.stream.table} writes what nobody sees.`];
  }
  if (refusal !== undefined) return ['', `Not switched: ${refusal}. --force switches all the same.`];
  return ['', `${equal ? `Stop the sinks and run ./millrace replay --into ${replay} --switch to put it in the place of ${live.stream.table}; or` : 'When it has served its purpose,'} delete the prefixes ${replay}/ and _*/${replay}/ and the table ${replay} in the catalog.`];
}

function timeIn(given: Arguments, name: string): Date | undefined {
  const text = given.value(name);
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime())) throw new OperatorError(`${name} must be a time such as 2026-11-25T09:00:00Z, at which Kafka took the events; it is "${text}".`);
  return time;
}

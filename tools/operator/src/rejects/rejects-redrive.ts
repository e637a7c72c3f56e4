import { readFileSync, statSync } from 'node:fs';
import { Arguments } from '../arguments.ts';
import { OperatorError } from '../errors.ts';
import { counted, grouped } from '../numbers.ts';
import type { Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';
import { produceCorrections } from './produce-corrections.ts';
import { checkLines, leaveAlone, type RedrivenLine } from './redrive-plan.ts';

/** Usage of the command. */
export const redriveUsage = './millrace rejects redrive FILE.jsonl [--apply] [--json] [--table T]';

/** Limits of a file of corrections. */
const fileBytesMax = 256 * 1024 * 1024;
const linesMax = 10_000;

/**
 * Puts corrected rejects through again, under their own event ids. Says what it would do; does it with `--apply`. What is a row
 * already, or on its way to be one, is left alone, so that it may be run again whatever happened. Exit code 1 when a line was refused.
 */
export async function rejectsRedrive(lake: Lake, given: Arguments, context: OperatorContext): Promise<number> {
  const { out, progress, env, signal } = context;
  const apply = given.has('--apply');
  const texts = linesOf(given.words[0]!);
  const checked = await progress.step('Check of the corrections', async (note) => await checkLines(lake, texts, context, note));
  const plan = await progress.step('Search for events that were put through already', async (note) => await leaveAlone(lake, checked, context, note));
  const wanted = plan.flatMap(({ line, to, correction }) => (correction === undefined ? [] : [{ line, partition: to!.partition, correction }]));
  const offsets = !apply || wanted.length === 0 ? undefined : await progress.step(`Produce ${counted(wanted.length, 'event')}`, async (note) => await produceCorrections(env, lake.stream, wanted, signal, note));
  const lines = plan.map(({ correction: _correction, ...line }): RedrivenLine => (offsets?.has(line.line) === true ? { ...line, to: { ...line.to!, offset: offsets.get(line.line)! } } : line));
  const refused = lines.filter(({ action }) => action === 'refused').length;
  if (given.has('--json')) out.line(JSON.stringify({ applied: apply, topic: lake.stream.topic.name, lines }));
  else for (const text of redriveText(lines, lake.stream.topic.name, apply, context)) out.line(text);
  return refused === 0 ? 0 : 1;
}

function redriveText(lines: readonly RedrivenLine[], topic: string, apply: boolean, { table }: Pick<OperatorContext, 'table'>): string[] {
  const count = (...actions: readonly RedrivenLine['action'][]): number => lines.filter(({ action }) => actions.includes(action)).length;
  const rows = lines.map((line) => [String(line.line), line.partition === undefined ? '' : `${line.partition}/${line.offset}`, line.eventId ?? '', whatOf(line, apply)]);
  const verdict = `${counted(count('produce'), 'event')} ${apply ? 'put through' : 'would be put through'} to ${topic}, ${grouped(count('landed', 'waiting'))} left alone, ${grouped(count('refused'))} refused.`;
  return [table(['line', 'reject', 'event', apply ? 'what was done' : 'what would be done'], rows), '', `${verdict}${apply || count('produce') === 0 ? '' : ' Nothing was done: --apply does it.'}`];
}

function whatOf({ action, reason, to }: RedrivenLine, apply: boolean): string {
  switch (action) {
    case 'produce':
      return `${apply ? 'produced' : 'produce'} to partition ${to!.partition}${to!.offset === undefined ? '' : `, offset ${to!.offset}`}, key ${to!.key}`;
    case 'refused':
      return `refused: ${reason}`;
    case 'landed':
    case 'waiting':
      return `nothing: ${reason}`;
  }
}

function linesOf(path: string): [number, string][] {
  try {
    if (statSync(path).size > fileBytesMax) throw new OperatorError(`${path} has more than ${grouped(fileBytesMax)} bytes: split it.`);
    const lines = readFileSync(path, 'utf8').split('\n').map((text, n): [number, string] => [n + 1, text.trim()]).filter(([, text]) => text !== '');
    if (lines.length > linesMax) throw new OperatorError(`${path} has more than ${grouped(linesMax)} lines: split it.`);
    if (lines.length === 0) throw new OperatorError(`${path} is empty: ./millrace rejects show --out FILE.jsonl writes one to correct.`);
    return lines;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`${path} cannot be read: ${(error as Error).message}. ./millrace rejects show --out FILE.jsonl writes one to correct.`);
  }
}

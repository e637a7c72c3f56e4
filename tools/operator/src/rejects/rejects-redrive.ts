import { readFileSync, statSync } from 'node:fs';
import {
  counted,
  grouped,
  redriveRejects,
  type CorrectionText,
  type RedriveResult,
  type RedrivenLine,
  type Target,
} from '@millrace/operations';
import type { Arguments } from '../arguments.ts';
import { OperatorError } from '../errors.ts';
import type { OperatorContext } from '../operator-context.ts';
import { showProgress } from '../show-progress.ts';

/** Usage of the command. */
export const redriveUsage = './millrace rejects redrive FILE.jsonl [--apply] [--json] [--table T]';

/** Limits of a file of corrections. */
const fileBytesMax = 256 * 1024 * 1024;
const linesMax = 10_000;

const titles = {
  check: 'Check of the corrections',
  search: 'Search for events that need no redrive',
  produce: (events: number) => `Produce ${counted(events, 'event')}`,
};

/** Produces the corrected rejects of a file. Without `--apply` it only plans. Exit code 1 when a line was refused. */
export async function rejectsRedrive(target: Target, given: Arguments, context: OperatorContext): Promise<number> {
  const { out, progress, signal } = context;
  const texts = linesOf(given.words[0]!);
  const result = await showProgress(
    progress,
    titles,
    async (onProgress) => await redriveRejects(target, texts, { apply: given.has('--apply'), signal, onProgress }),
  );
  if (given.has('--json')) out.line(JSON.stringify(result));
  else for (const text of redriveText(result, context)) out.line(text);
  return result.lines.some(({ action }) => action === 'refused') ? 1 : 0;
}

function redriveText({ lines, topic, applied: apply }: RedriveResult, { table }: Pick<OperatorContext, 'table'>): string[] {
  const count = (...actions: readonly RedrivenLine['action'][]): number => lines.filter(({ action }) => actions.includes(action)).length;
  const rows = lines.map((line) => [
    String(line.line),
    line.partition === undefined ? '' : `${line.partition}/${line.offset}`,
    line.eventId ?? '',
    whatOf(line, apply),
  ]);
  const verdict = `${counted(count('produce'), 'event')} ${apply ? 'produced' : 'would be produced'} to ${topic}, ${grouped(count('landed', 'waiting'))} skipped, ${grouped(count('refused'))} refused.`;
  return [
    table(['line', 'reject', 'event', apply ? 'what was done' : 'what would be done'], rows),
    '',
    `${verdict}${apply || count('produce') === 0 ? '' : ' Nothing was done: --apply does it.'}`,
  ];
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

function linesOf(path: string): CorrectionText[] {
  try {
    if (statSync(path).size > fileBytesMax) throw new OperatorError(`${path} has more than ${grouped(fileBytesMax)} bytes: split it.`);
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((text, n): CorrectionText => ({ line: n + 1, text: text.trim() }))
      .filter(({ text }) => text !== '');
    if (lines.length > linesMax) throw new OperatorError(`${path} has more than ${grouped(linesMax)} lines: split it.`);
    if (lines.length === 0) throw new OperatorError(`${path} is empty: ./millrace rejects show --out FILE.jsonl writes one to correct.`);
    return lines;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(
      `${path} cannot be read: ${(error as Error).message}. ./millrace rejects show --out FILE.jsonl writes one to correct.`,
    );
  }
}

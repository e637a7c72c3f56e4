import { openTarget, traceEvent } from '@millrace/operations';
import { Arguments } from './arguments.ts';
import { OperatorError } from './errors.ts';
import type { OperatorContext } from './operator-context.ts';
import { showProgress } from './show-progress.ts';
import { traceText } from './trace-text.ts';

const usage = './millrace trace EVENT_ID [--deep] [--events-max N] [--json] [--table T]';

/** Runs `./millrace trace`. Exit code 0: the event was found. 1: it was not found. 2: a part of the topic could not be searched. */
export async function traceCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const given = Arguments.read(args, { usage, flags: ['--deep', '--json'], values: ['--events-max', '--table'], words: ['EVENT_ID'] });
  const [eventId] = given.words;
  if (!/^[\x21-\x7e]{8,200}$/.test(eventId!))
    throw new OperatorError(`"${eventId}" is not an event id: the receipt of a purchase names it. Usage: ${usage}`);
  const [deep, eventsMax] = [given.has('--deep'), given.integer('--events-max', 1) ?? 1_000_000];
  const target = openTarget(context.env, { table: given.value('--table') });
  try {
    const trace = await showProgress(
      context.progress,
      { trace: 'Trace' },
      async (onProgress) => await traceEvent(target, eventId!, { deep, eventsMax, signal: context.signal, onProgress }),
    );
    if (given.has('--json')) context.out.line(JSON.stringify(trace));
    else for (const line of traceText(trace, target.lake.bucket, context.out, deep)) context.out.line(line);
    return trace.status === 'not-found' ? 1 : trace.status === 'unknown' ? 2 : 0;
  } finally {
    target.close();
  }
}

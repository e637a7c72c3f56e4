import { Arguments } from './arguments.ts';
import { Duck } from './duck.ts';
import { OperatorError } from './errors.ts';
import { openLake } from './open-lake.ts';
import type { OperatorContext } from './operator-context.ts';
import { traceEvent } from './trace-event.ts';
import { traceText } from './trace-text.ts';

const usage = './millrace trace EVENT_ID [--deep] [--events-max N] [--json] [--table T]';

/** `./millrace trace`: exit code 0 when the event was found, 1 when it was not, 2 when a part of the topic could not be looked at. */
export async function traceCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const given = Arguments.read(args, { usage, flags: ['--deep', '--json'], values: ['--events-max', '--table'], words: ['EVENT_ID'] });
  const [text] = given.words;
  if (!/^[\x21-\x7e]{8,200}$/.test(text!)) throw new OperatorError(`"${text}" is no event id: the receipt of a purchase names it. Usage: ${usage}`);
  const options = { deep: given.has('--deep'), eventsMax: given.integer('--events-max', 1) ?? 1_000_000 };
  const lake = openLake(context.env, given.value('--table'));
  const duck = await Duck.open(512);
  try {
    await duck.withS3(context.env);
    const trace = await context.progress.step('Trace', async (note) => await traceEvent({ lake, duck, note, env: context.env, signal: context.signal }, text!.toLowerCase(), options));
    if (given.has('--json')) context.out.line(JSON.stringify(trace));
    else for (const line of traceText(trace, lake.bucket, context.out, options.deep)) context.out.line(line);
    return trace.status === 'not-found' ? 1 : trace.status === 'unknown' ? 2 : 0;
  } finally {
    duck.close();
    lake.close();
  }
}

import { Duck } from '../duck.ts';
import { grouped } from '../numbers.ts';
import type { Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';
import { correctionsOf, readLine, type Correction } from './correction.ts';
import { eventsOnTheirWay } from './events-on-their-way.ts';
import { partitionerOf } from './produce-corrections.ts';
import { rejectFinder } from './reject-files.ts';

/** What is done with one line of the file. */
export interface RedrivenLine {
  /** From 1. */
  readonly line: number;
  readonly partition?: number;
  readonly offset?: number;
  readonly eventId?: string;
  /** `produce`: put through, or with `--apply` left out, what would be. */
  readonly action: 'produce' | 'landed' | 'waiting' | 'refused';
  /** Why it is not put through. */
  readonly reason?: string;
  /** Where it goes; the offset once it is there. */
  readonly to?: { readonly partition: number; readonly key: string; readonly offset?: string };
}

/** A line with what is to be produced for it. */
export interface PlannedLine extends RedrivenLine {
  readonly correction?: Extract<Correction, { kind: 'good' }>;
}

/** Checks each line against the contract, and against the reject it names. */
export async function checkLines(lake: Lake, texts: readonly (readonly [number, string])[], { env, signal }: Pick<OperatorContext, 'env' | 'signal'>, note: (text: string) => void): Promise<PlannedLine[]> {
  const topic = lake.stream.topic.name;
  const partitionOf = await partitionerOf(env, topic);
  const correct = correctionsOf(lake.stream);
  const originalOf = rejectFinder(lake, signal);
  const firstOf = new Map<string, number>();
  const lines: PlannedLine[] = [];
  for (const [line, text] of texts) {
    signal.throwIfAborted();
    note(`line ${grouped(line)}`);
    const read = readLine(text, topic);
    if (typeof read === 'string') {
      lines.push({ line, action: 'refused', reason: read });
      continue;
    }
    const { partition, offset, event } = read;
    const correction = correct(event, await originalOf(partition, offset));
    if (correction.kind === 'refused') {
      lines.push({ line, partition, offset, action: 'refused', reason: correction.reason });
      continue;
    }
    const { eventId, key } = correction;
    const first = firstOf.get(eventId);
    if (first === undefined) firstOf.set(eventId, line);
    lines.push(first === undefined ? { line, partition, offset, eventId, action: 'produce', to: { partition: partitionOf(key), key }, correction } : { line, partition, offset, eventId, action: 'refused', reason: `line ${first} has the same event` });
  }
  return lines;
}

/** Leaves alone what is a row already, or will be one without our doing. */
export async function leaveAlone(lake: Lake, lines: readonly PlannedLine[], context: Pick<OperatorContext, 'env' | 'signal'>, note: (text: string) => void): Promise<PlannedLine[]> {
  const wanted = lines.flatMap(({ correction }) => correction?.eventId ?? []);
  if (wanted.length === 0) return [...lines];
  const duck = await Duck.open(512);
  try {
    await duck.withS3(context.env);
    const there = await eventsOnTheirWay(lake, duck, wanted, context, note);
    return lines.map((line) => {
      const found = line.correction === undefined ? undefined : there.get(line.correction.eventId);
      if (found === undefined) return line;
      const { correction: _correction, to: _to, ...rest } = line;
      return { ...rest, action: found.kind, reason: found.what };
    });
  } finally {
    duck.close();
  }
}

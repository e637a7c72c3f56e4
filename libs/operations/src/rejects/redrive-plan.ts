import { Duck } from '../lake/duck.ts';
import { grouped } from '../numbers.ts';
import type { RedriveTarget } from '../target.ts';
import { correctionsOf, readLine, type Correction } from './correction.ts';
import { eventsOnTheirWay } from './events-on-their-way.ts';
import { partitionerOf } from './produce-corrections.ts';
import { rejectFinder } from './reject-files.ts';

/** One line of a file of corrections. */
export interface CorrectionText {
  /** Number of the line, from 1. */
  readonly line: number;
  /** A line of an editable reject as JSON, with the corrected event. */
  readonly text: string;
}

/** The plan or the result for one line. */
export interface RedrivenLine {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly partition?: number;
  readonly offset?: number;
  readonly eventId?: string;
  /** `produce`: the event is produced, or would be. `landed`, `waiting`: it needs nothing. `refused`: it is not valid. */
  readonly action: 'produce' | 'landed' | 'waiting' | 'refused';
  /** Reason for every action but `produce`. */
  readonly reason?: string;
  /** Destination of `produce`. It has an offset once Kafka took the event. */
  readonly to?: { readonly partition: number; readonly key: string; readonly offset?: string };
}

/** A line with the event to produce for it. */
export interface PlannedLine extends RedrivenLine {
  readonly correction?: Extract<Correction, { kind: 'good' }>;
}

/** Checks each line against the contract and against the reject that it names. */
export async function checkLines(
  { lake, kafka }: RedriveTarget,
  texts: readonly CorrectionText[],
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<PlannedLine[]> {
  const topic = lake.stream.topic.name;
  const partitionOf = await partitionerOf(kafka, topic);
  const correct = correctionsOf(lake.stream);
  const originalOf = rejectFinder(lake, signal);
  const firstOf = new Map<string, number>();
  const lines: PlannedLine[] = [];
  for (const { line, text } of texts) {
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
    lines.push(
      first === undefined
        ? { line, partition, offset, eventId, action: 'produce', to: { partition: partitionOf(key), key }, correction }
        : { line, partition, offset, eventId, action: 'refused', reason: `line ${first} has the same event` },
    );
  }
  return lines;
}

/** Marks the lines whose event is a row or becomes one without a redrive. */
export async function skipKnownEvents(
  target: RedriveTarget,
  lines: readonly PlannedLine[],
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<PlannedLine[]> {
  const wanted = lines.flatMap(({ correction }) => correction?.eventId ?? []);
  if (wanted.length === 0) return [...lines];
  const duck = await Duck.openFor(target, target.searchMemoryMb ?? 512);
  try {
    const there = await eventsOnTheirWay(target, duck, wanted, signal, note);
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

import { MultipleErrors, ResponseError, type ProduceResult } from '@platformatic/kafka';
import { TopicError } from '../errors.ts';
import type { PartitionBatch, PartitionOutcome } from './topic-writer.ts';

/** INVALID_TIMESTAMP: the topic takes the time of the producer, whose clock is wrong. */
const invalidTimestamp = 32;

/** Kafka's error codes that say that a batch was not appended. All others leave it open. */
const kindOfCode: ReadonlyMap<number, 'too-large' | 'refused' | 'not-written'> = new Map([
  [3, 'not-written'], // UNKNOWN_TOPIC_OR_PARTITION
  [5, 'not-written'], // LEADER_NOT_AVAILABLE
  [6, 'not-written'], // NOT_LEADER_OR_FOLLOWER
  [10, 'too-large'], // MESSAGE_TOO_LARGE
  [18, 'too-large'], // RECORD_LIST_TOO_LARGE
  [19, 'not-written'], // NOT_ENOUGH_REPLICAS
  [29, 'not-written'], // TOPIC_AUTHORIZATION_FAILED
  [31, 'not-written'], // CLUSTER_AUTHORIZATION_FAILED
  [invalidTimestamp, 'not-written'], // Each send has a new time, so the same event is accepted once the clock is right.
  [44, 'refused'], // POLICY_VIOLATION
  [87, 'refused'], // INVALID_RECORD
]);

interface PartitionAnswer {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: bigint;
}

/** The outcome of a send that succeeded: one base offset per partition. A partition without one is not acknowledged. */
export function outcomeOfResult(result: ProduceResult, batches: readonly PartitionBatch[]): Map<number, PartitionOutcome> {
  const offsets = new Map(result.offsets?.map(({ partition, offset }) => [partition, offset]));
  return new Map(
    batches.map(({ partition }) => {
      const baseOffset = offsets.get(partition);
      return [
        partition,
        baseOffset === undefined
          ? { kind: 'unknown', cause: new Error(`the answer does not name partition ${partition}`) }
          : { kind: 'written', baseOffset },
      ];
    }),
  );
}

/**
 * The outcome of a send that failed, partition by partition. The client rejects the send as a whole, and its error holds one error
 * per attempt and leader. A partition that any answer acknowledged is written. A partition that every answer calls missing does not
 * exist. The outcome of any other partition is unknown.
 */
export function outcomeOfError(error: unknown, batches: readonly PartitionBatch[]): Map<number, PartitionOutcome> {
  const attempts: Attempts = { answers: [], unanswered: false };
  collect(error, attempts);
  const produced = (error as { produced?: ProduceResult } | undefined)?.produced?.offsets ?? [];
  return new Map(batches.map(({ partition }) => [partition, outcomeOf(partition, produced, attempts, error)]));
}

/** Whether only the content of the send caused its failure: Kafka answered every attempt and is healthy. */
export function refusedForItsContent(error: unknown): boolean {
  const attempts: Attempts = { answers: [], unanswered: false };
  collect(error, attempts);
  const { answers, unanswered } = attempts;
  const contents = answers.filter(({ errorCode }) => errorCode !== 0).map(({ errorCode }) => kindOfCode.get(errorCode));
  return !unanswered && contents.length > 0 && contents.every((kind) => kind === 'too-large' || kind === 'refused');
}

interface Attempts {
  readonly answers: PartitionAnswer[];
  /** Whether an attempt ended without an answer. */
  unanswered: boolean;
}

function outcomeOf(
  partition: number,
  produced: NonNullable<ProduceResult['offsets']>,
  { answers, unanswered }: Attempts,
  cause: unknown,
): PartitionOutcome {
  const own = answers.filter(({ index }) => index === partition);
  const baseOffset =
    produced.find((one) => one.partition === partition)?.offset ?? own.find(({ errorCode }) => errorCode === 0)?.baseOffset;
  if (baseOffset !== undefined) return { kind: 'written', baseOffset };
  const kinds = own.map(({ errorCode }) => kindOfCode.get(errorCode));
  const last = kinds.at(-1);
  const kind = unanswered || last === undefined || kinds.includes(undefined) ? 'unknown' : last;
  return { kind, cause: own.at(-1)?.errorCode === invalidTimestamp ? wrongClock(cause) : cause };
}

function wrongClock(cause: unknown): TopicError {
  return new TopicError(
    'Kafka refuses the time of the records: the clock of this machine is ahead by more than message.timestamp.after.max.ms of the topic. ' +
      'Correct the clock, or set message.timestamp.type=LogAppendTime, so that the clock of the broker counts.',
    { cause },
  );
}

function collect(error: unknown, attempts: Attempts): void {
  if (error instanceof ResponseError) {
    const response = error['response'] as { responses?: { partitionResponses: PartitionAnswer[] }[] } | undefined;
    if (response?.responses === undefined) attempts.unanswered = true;
    else for (const { partitionResponses } of response.responses) attempts.answers.push(...partitionResponses);
  } else if (error instanceof MultipleErrors) {
    for (const one of error.errors as unknown[]) if (one !== undefined && one !== null) collect(one, attempts);
  } else {
    attempts.unanswered = true;
  }
}

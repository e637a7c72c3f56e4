import type { BatchAnswer, BatchItem, Problem } from '@millrace/contracts';
import { FirehoseError, type FirehoseErrorCode } from './firehose-error.ts';

/** Answer of Firehose to one record. */
export type RecordAnswer = { readonly RecordId: string } | { readonly ErrorCode: FirehoseErrorCode; readonly ErrorMessage: string };

/** Answer of Firehose to `PutRecordBatch`. */
export interface BatchRecordsAnswer {
  readonly FailedPutCount: number;
  readonly Encrypted: false;
  readonly RequestResponses: readonly RecordAnswer[];
}

/** Takes the parsed records of a request and answers each of them. */
export type TakeBatch = (items: unknown[]) => Promise<Pick<BatchAnswer, 'items'>>;

/**
 * Puts records into a stream. A record is one event as JSON; a line break at its end is allowed.
 *
 * @returns one answer for each record, in order. The id of a record is the id of its event
 */
export async function putRecords(records: readonly Buffer[], take: TakeBatch): Promise<readonly RecordAnswer[]> {
  const parsed = records.map(parse);
  const items = parsed.flatMap((one) => ('item' in one ? [one.item] : []));
  const answers = items.length === 0 ? [].values() : (await take(items)).items.values();
  return parsed.map((one) => ('item' in one ? answerOf(answers.next().value!) : one.failure));
}

/** The answer to `PutRecordBatch`. */
export function batchAnswerOf(answers: readonly RecordAnswer[]): BatchRecordsAnswer {
  return { FailedPutCount: answers.filter((answer) => 'ErrorCode' in answer).length, Encrypted: false, RequestResponses: answers };
}

/** The answer to `PutRecord`. @throws FirehoseError when the record was not taken */
export function recordAnswerOf(answers: readonly RecordAnswer[]): { readonly RecordId: string; readonly Encrypted: false } {
  const answer = answers[0]!;
  if ('ErrorCode' in answer) throw new FirehoseError(answer.ErrorCode, answer.ErrorMessage);
  return { RecordId: answer.RecordId, Encrypted: false };
}

function parse(record: Buffer): { readonly item: unknown } | { readonly failure: RecordAnswer } {
  try {
    return { item: JSON.parse(record.toString()) as unknown };
  } catch {
    return { failure: { ErrorCode: 'InvalidArgumentException', ErrorMessage: 'The record is not one value of JSON.' } };
  }
}

function answerOf(item: BatchItem): RecordAnswer {
  if (!('problem' in item)) return { RecordId: item.eventId };
  return { ErrorCode: errorCodeOf(item.problem), ErrorMessage: item.problem.detail ?? item.problem.title };
}

// Producers repeat records that failed with ServiceUnavailableException. A record that breaks the contract must not be among them.
function errorCodeOf({ status }: Problem): FirehoseErrorCode {
  if (status < 500) return 'InvalidArgumentException';
  return status === 500 ? 'InternalFailure' : 'ServiceUnavailableException';
}

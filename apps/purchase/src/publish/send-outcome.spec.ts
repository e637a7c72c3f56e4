import { MultipleErrors, NetworkError, ResponseError } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { outcomeOfError, outcomeOfResult, refusedForItsContent } from './send-outcome.ts';

const batches = [0, 1].map((partition) => ({ partition, messages: [] }));
const lost = new NetworkError('Connection closed');

/** The error of an answer with these codes by partition; code 0 has the base offset 10 times the partition. */
function answer(codes: Record<number, number>): ResponseError {
  const partitionResponses = Object.entries(codes).map(([index, errorCode]) => ({
    index: Number(index),
    errorCode,
    baseOffset: BigInt(index) * 10n,
  }));
  const errors = Object.fromEntries(
    partitionResponses
      .filter(({ errorCode }) => errorCode !== 0)
      .map(({ index, errorCode }) => [`/responses/0/partition_responses/${index}`, [errorCode, null] as [number, null]]),
  );
  return new ResponseError(0, 11, errors, { responses: [{ name: 't', partitionResponses }] });
}

function attempts(...errors: Error[]): MultipleErrors {
  return new MultipleErrors(`produce failed ${errors.length} times.`, errors);
}

describe('the outcome of a send', () => {
  it('a send is written where the answer names an offset, and unknown where it does not', () => {
    const outcome = outcomeOfResult({ offsets: [{ topic: 't', partition: 1, offset: 7n }] }, batches);
    expect(outcome.get(1)).toEqual({ kind: 'written', baseOffset: 7n });
    expect(outcome.get(0)?.kind).toBe('unknown');
  });

  it.each([
    ['a lost connection', lost, ['unknown', 'unknown']],
    ['an error of any other kind', new TypeError('what'), ['unknown', 'unknown']],
    ['a batch too large in one partition and written in the other', answer({ 0: 10, 1: 0 }), ['too-large', 'written']],
    ['an invalid record', answer({ 0: 87, 1: 0 }), ['refused', 'written']],
    ['an answer of a broker that is not the leader', answer({ 0: 6, 1: 6 }), ['not-written', 'not-written']],
    ['an append to too few replicas', answer({ 0: 20, 1: 19 }), ['unknown', 'not-written']],
    ['a timeout of the broker', answer({ 0: 7, 1: 7 }), ['unknown', 'unknown']],
    ['an answer lost before a refusal', attempts(lost, answer({ 0: 10, 1: 0 })), ['unknown', 'written']],
    ['an answer lost after a partial success', attempts(answer({ 0: 0, 1: 19 }), lost), ['written', 'unknown']],
    ['repeated refusals', attempts(answer({ 0: 19, 1: 19 }), answer({ 0: 19, 1: 6 })), ['not-written', 'not-written']],
    [
      'the loss of one leader while another answers',
      new MultipleErrors('Producing messages failed.', [undefined as never, attempts(lost, lost)]),
      ['unknown', 'unknown'],
    ],
  ])('the outcome of each partition is known after %s', (_what, error, kinds) => {
    const outcome = outcomeOfError(error, batches);
    expect([outcome.get(0)?.kind, outcome.get(1)?.kind]).toEqual(kinds);
  });

  it('events that Kafka refuses because of the clock may be sent again, and the cause names the remedy', () => {
    const outcome = outcomeOfError(answer({ 0: 32, 1: 0 }), batches);
    expect(outcome.get(1)?.kind).toBe('written');
    expect(outcome.get(0)).toMatchObject({ kind: 'not-written', cause: { name: 'TopicError', retryable: true } });
    expect(String((outcome.get(0) as { cause: unknown }).cause)).toContain('set message.timestamp.type=LogAppendTime');
  });

  it('the outcome keeps the offsets of the leaders that answered before a failure', () => {
    const error = Object.assign(new MultipleErrors('Producing messages failed.', [lost]), {
      produced: { offsets: [{ topic: 't', partition: 1, offset: 5n }] },
    });
    const outcome = outcomeOfError(error, batches);
    expect(outcome.get(0)?.kind).toBe('unknown');
    expect(outcome.get(1)).toEqual({ kind: 'written', baseOffset: 5n });
  });
});

describe('refusedForItsContent', () => {
  it.each([
    ['a batch that is too large', answer({ 0: 10, 1: 0 }), true],
    ['a batch that is too large, then an invalid record', attempts(answer({ 0: 10 }), answer({ 0: 87, 1: 10 })), true],
    ['a batch too large in one partition and without a leader in the other', answer({ 0: 10, 1: 6 }), false],
    ['an answer lost before a refusal', attempts(lost, answer({ 0: 10 })), false],
    ['a wrong clock', answer({ 0: 32 }), false],
    ['a lost connection', lost, false],
    ['an error that names no partition', attempts(), false],
  ])('a failed send is blamed on its content or on Kafka after %s', (_what, error, content) => {
    expect(refusedForItsContent(error)).toBe(content);
  });
});

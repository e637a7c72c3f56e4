import { problemOf, type BatchItem } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { batchAnswerOf, putRecords, recordAnswerOf } from './put-records.ts';

function takeThat(...items: readonly BatchItem[]): { take: Parameters<typeof putRecords>[1]; taken: unknown[][] } {
  const taken: unknown[][] = [];
  return {
    taken,
    take: async (batch) => {
      taken.push(batch);
      return await Promise.resolve({ items: [...items] });
    },
  };
}

const onDisk = (index: number, eventId: string): BatchItem => ({ index, status: 202, eventId, durability: 'disk' });
const failed = (index: number, name: 'validation' | 'unavailable' | 'internal'): BatchItem => {
  const problem = problemOf(name, { detail: `It is ${name}.` });
  return { index, status: problem.status, problem };
};
const bytes = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

describe('putRecords', () => {
  it('putRecords takes records that end with a line break, and answers each in order with its event id', async () => {
    const { take, taken } = takeThat(onDisk(0, 'a'), failed(1, 'unavailable'), failed(2, 'validation'), failed(3, 'internal'));
    const answers = await putRecords(bytes('{"n":1}\n', '{"n":2}', 'no JSON', '{"n":3}', '{"n":4}'), take);
    expect(taken).toEqual([[{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]]);
    expect(batchAnswerOf(answers)).toEqual({
      FailedPutCount: 4,
      Encrypted: false,
      RequestResponses: [
        { RecordId: 'a' },
        { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'It is unavailable.' },
        { ErrorCode: 'InvalidArgumentException', ErrorMessage: 'The record is not one value of JSON.' },
        { ErrorCode: 'InvalidArgumentException', ErrorMessage: 'It is validation.' },
        { ErrorCode: 'InternalFailure', ErrorMessage: 'It is internal.' },
      ],
    });
  });

  it('putRecords asks the service for nothing when no record is JSON', async () => {
    const { take, taken } = takeThat();
    expect(batchAnswerOf(await putRecords(bytes('', '{"n":1}{"n":2}'), take)).FailedPutCount).toBe(2);
    expect(taken).toEqual([]);
  });
});

describe('recordAnswerOf', () => {
  it('recordAnswerOf throws the exception of a record that was not taken', () => {
    expect(recordAnswerOf([{ RecordId: 'a' }])).toEqual({ RecordId: 'a', Encrypted: false });
    expect(() => recordAnswerOf([{ ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'No.' }])).toThrow(
      expect.objectContaining({ code: 'ServiceUnavailableException', status: 503, retryable: true }) as Error,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { readFirehoseRequest } from './firehose-request.ts';

const target = (operation: string): string => `Firehose_20150804.${operation}`;
const encoded = (text: string): { Data: string } => ({ Data: Buffer.from(text).toString('base64') });
const read = (operation: string, body: unknown): unknown =>
  readFirehoseRequest(target(operation), Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
const batchOf = (records: readonly unknown[]): unknown => ({ DeliveryStreamName: 's', Records: records });

describe('readFirehoseRequest', () => {
  it('readFirehoseRequest decodes the records of both operations', () => {
    expect(read('PutRecord', { DeliveryStreamName: 's', Record: encoded('a') })).toEqual({
      operation: 'PutRecord',
      stream: 's',
      records: [Buffer.from('a')],
    });
    expect(read('PutRecordBatch', batchOf([encoded('a'), encoded('bc')]))).toEqual({
      operation: 'PutRecordBatch',
      stream: 's',
      records: [Buffer.from('a'), Buffer.from('bc')],
    });
  });

  it.each([
    ['an unknown operation', 'DescribeDeliveryStream', {}, 'UnknownOperationException'],
    ['broken JSON', 'PutRecord', '{', 'SerializationException'],
    ['a record without data', 'PutRecord', { DeliveryStreamName: 's', Record: {} }, 'InvalidArgumentException'],
    ['a name that no stream can have', 'PutRecord', { DeliveryStreamName: 'a b', Record: encoded('a') }, 'InvalidArgumentException'],
    ['data that is not Base64', 'PutRecord', { DeliveryStreamName: 's', Record: { Data: 'a-b_' } }, 'SerializationException'],
    ['no records', 'PutRecordBatch', batchOf([]), 'InvalidArgumentException'],
    ['501 records', 'PutRecordBatch', batchOf(Array.from({ length: 501 }, () => encoded('a'))), 'InvalidArgumentException'],
    [
      'a record of more than 1,000 KiB',
      'PutRecord',
      { DeliveryStreamName: 's', Record: encoded('x'.repeat(1_024_001)) },
      'InvalidArgumentException',
    ],
    [
      'records of more than 4 MiB together',
      'PutRecordBatch',
      batchOf(Array.from({ length: 5 }, () => encoded('x'.repeat(1_000_000)))),
      'InvalidArgumentException',
    ],
  ])('readFirehoseRequest refuses %s', (_what, operation, body, code) => {
    expect(() => read(operation, body)).toThrow(expect.objectContaining({ code, status: 400 }) as Error);
  });

  it('readFirehoseRequest takes the largest record and the largest batch', () => {
    const records = Array.from({ length: 500 }, () => encoded('x'.repeat(8388)));
    expect(read('PutRecordBatch', batchOf(records))).toMatchObject({ operation: 'PutRecordBatch' });
    expect(read('PutRecord', { DeliveryStreamName: 's', Record: encoded('x'.repeat(1_024_000)) })).toMatchObject({ stream: 's' });
  });

  it('readFirehoseRequest refuses a request without a target', () => {
    expect(() => readFirehoseRequest(undefined, Buffer.from('{}'))).toThrow('X-Amz-Target');
  });
});

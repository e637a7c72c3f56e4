import { Type } from 'typebox';
import { validatorFor } from '@millrace/contracts';
import { FirehoseError } from './firehose-error.ts';

/** Limits of Firehose. */
export const firehoseLimits = {
  /** Maximum number of records of `PutRecordBatch`. */
  recordsMax: 500,
  /** Largest record in bytes, before Base64. */
  recordBytesMax: 1000 * 1024,
  /** Largest sum of the records of `PutRecordBatch` in bytes, before Base64. */
  batchBytesMax: 4 * 1024 * 1024,
  /** Largest body in bytes: the records in Base64, and 512 bytes for each record and for the rest. */
  bodyBytesMax: Math.ceil((4 * 1024 * 1024 * 4) / 3) + 512 * 501,
} as const;

/** A request to put records into a stream. */
export interface FirehoseRequest {
  readonly operation: 'PutRecord' | 'PutRecordBatch';
  /** Name of the delivery stream. */
  readonly stream: string;
  readonly records: readonly Buffer[];
}

const targetPrefix = 'Firehose_20150804.';

const record = Type.Object({ Data: Type.String() });
const streamName = Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9_.-]+$' });
const putRecord = validatorFor(Type.Object({ DeliveryStreamName: streamName, Record: record }));
const putRecordBatch = validatorFor(
  Type.Object({ DeliveryStreamName: streamName, Records: Type.Array(record, { minItems: 1, maxItems: firehoseLimits.recordsMax }) }),
);

/**
 * Reads a request in the AWS JSON 1.1 protocol.
 *
 * @param target header `X-Amz-Target`
 * @throws FirehoseError `UnknownOperationException`, `SerializationException` or `InvalidArgumentException`
 */
export function readFirehoseRequest(target: unknown, body: Buffer): FirehoseRequest {
  const operation = typeof target === 'string' && target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : undefined;
  if (operation !== 'PutRecord' && operation !== 'PutRecordBatch') {
    throw new FirehoseError(
      'UnknownOperationException',
      `X-Amz-Target must be ${targetPrefix}PutRecord or ${targetPrefix}PutRecordBatch: this service has no other operation of Firehose.`,
    );
  }
  const value = parse(body);
  if (operation === 'PutRecord') {
    if (!putRecord.check(value)) throw invalid(putRecord.violations(value));
    return { operation, stream: value.DeliveryStreamName, records: [dataOf(value.Record.Data, 'Record')] };
  }
  if (!putRecordBatch.check(value)) throw invalid(putRecordBatch.violations(value));
  const records = value.Records.map(({ Data }, index) => dataOf(Data, `Records[${index}]`));
  if (records.reduce((sum, { length }) => sum + length, 0) > firehoseLimits.batchBytesMax) {
    throw new FirehoseError('InvalidArgumentException', 'The records have more than 4 MiB together: send them in several requests.');
  }
  return { operation, stream: value.DeliveryStreamName, records };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new FirehoseError('SerializationException', 'The body is not valid JSON.', { cause });
  }
}

function dataOf(text: string, field: string): Buffer {
  // Buffer skips characters outside Base64, so a damaged record would pass.
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new FirehoseError('SerializationException', `${field}.Data is not Base64.`);
  const data = Buffer.from(text, 'base64');
  if (data.length > firehoseLimits.recordBytesMax)
    throw new FirehoseError('InvalidArgumentException', `${field}.Data has ${data.length} bytes: a record has at most 1,000 KiB.`);
  return data;
}

function invalid(violations: readonly { readonly field: string; readonly message: string }[]): FirehoseError {
  const { field, message } = violations[0]!;
  return new FirehoseError('InvalidArgumentException', `${field === '' ? 'The request' : field} ${message}.`);
}

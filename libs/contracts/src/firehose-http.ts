import { Type } from 'typebox';

const recordId = Type.String({ description: 'Identity of the event of the record, a UUID' });
const encrypted = Type.Optional(Type.Literal(false));

const putRecordAnswerSchema = Type.Object(
  { RecordId: recordId, Encrypted: encrypted },
  { title: 'PutRecordAnswer', description: 'Answer to `PutRecord`.' },
);
const putRecordBatchAnswerSchema = Type.Object(
  {
    FailedPutCount: Type.Integer({ minimum: 0, description: 'Number of records that were not stored' }),
    Encrypted: encrypted,
    RequestResponses: Type.Array(
      Type.Union([
        Type.Object({ RecordId: recordId }),
        Type.Object({
          ErrorCode: Type.String({ description: 'Send the record again only after `ServiceUnavailableException`' }),
          ErrorMessage: Type.String(),
        }),
      ]),
      { description: 'One answer for each record, in the order of the request' },
    ),
  },
  { title: 'PutRecordBatchAnswer', description: 'Answer to `PutRecordBatch`.' },
);

/** Schema of the answers of the Firehose operations. */
export const firehoseAnswerSchema = Type.Union([putRecordAnswerSchema, putRecordBatchAnswerSchema], {
  title: 'FirehoseAnswer',
  description: 'Answer to `PutRecord` or `PutRecordBatch`.',
});

/** Schema of an exception of Firehose. */
export const firehoseErrorSchema = Type.Object(
  { __type: Type.String({ description: 'Name of the exception' }), message: Type.String() },
  { title: 'FirehoseError', description: 'An exception of Firehose, as AWS SDKs read it.' },
);

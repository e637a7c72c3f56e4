import { Type } from 'typebox';
import type { Plain } from '../plain.ts';
import { violationSchema } from '../violation.ts';

/** Limits of the routes for rejects. */
export const rejectLimits = { pageRejectsMax: 500, pageRejectsDefault: 100, redrivenMax: 500, reasonsMax: 100 } as const;

const count = (description: string): ReturnType<typeof Type.Integer> => Type.Integer({ minimum: 0, description });
const at = (what: string): ReturnType<typeof Type.String> => Type.String({ description: `${what}, ISO 8601 in UTC` });
const partition = Type.Integer({ minimum: 0, maximum: 999_999, description: 'Partition of the record' });
const offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Offset of the record' });

const place = {
  topic: Type.String({ description: 'Topic of the record' }),
  partition,
  offset,
  at: at('Time at which Kafka received the record'),
  reason: Type.String({ description: 'Violation of the contract, as the sink recorded it' }),
  eventId: Type.String({ description: 'Identity of the event: its own one, or one that its place in the topic gives' }),
  bytes: count('Size of the value in bytes'),
};

const listedRejectSchema = Type.Object(
  { ...place, landedAt: at('Time at which the sink wrote the reject file') },
  { title: 'ListedReject', description: 'A record that broke the contract.' },
);

/** Schema of {@link RejectList}. */
export const rejectListSchema = Type.Object(
  {
    stream: Type.String({ description: 'Name of the stream' }),
    table: Type.String({ description: 'Table that the records are missing from' }),
    canRedrive: Type.Boolean({ description: 'Whether this service has a connection to Kafka, which a redrive needs' }),
    filesTotal: count('Reject files of the table, or of the partition'),
    filesRead: count('Files that this answer covers, the newest ones. A file that is older than `from` counts as covered'),
    reasons: Type.Array(
      Type.Object({
        reason: Type.String(),
        count: count('Rejects with this reason'),
        oldestAt: at('Time of the oldest one'),
        newestAt: at('Time of the newest one'),
      }),
      { description: `Reasons of the rejects in the covered files, the most frequent first, ${rejectLimits.reasonsMax} at most` },
    ),
    bucketSeconds: count('Length of one step of `buckets` in seconds'),
    buckets: Type.Array(Type.Object({ at: at('Begin of the step'), count: count('Rejects in the step') }), {
      description: 'Rejects in the covered files by time, the oldest first. A step without rejects is left out',
    }),
    rejects: Type.Array(listedRejectSchema, { description: 'Newest landed first' }),
    next: Type.Optional(Type.String({ description: 'Value of `cursor` for the rejects that landed before these' })),
  },
  { title: 'RejectList', description: 'Rejects of a table, with their counts by reason and time.' },
);

/** Answer to `GET /v1/rejects`. */
export type RejectList = Plain<typeof rejectListSchema>;

/** Schema of {@link RejectDetail}. */
export const rejectDetailSchema = Type.Object(
  {
    ...place,
    key: Type.Union([Type.String(), Type.Null()], { description: 'Key of the record as UTF-8 text' }),
    violations: Type.Array(violationSchema, { description: 'Every rule of the contract that the event breaks now' }),
    event: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
      description: 'The JSON object of the record with the `eventId` that a redrive must keep. Null when the value is not a JSON object',
    }),
    text: Type.Optional(Type.String({ description: 'The value, if it is UTF-8 and not a JSON object' })),
    base64: Type.Optional(Type.String({ description: 'The value, if it is not UTF-8' })),
    file: Type.String({ description: 'Key of the reject file' }),
  },
  { title: 'RejectDetail', description: 'A record that broke the contract, with its value.' },
);

/** Answer to `GET /v1/rejects/{partition}/{offset}`. */
export type RejectDetail = Plain<typeof rejectDetailSchema>;

/** Schema of {@link RedriveRequest}. */
export const redriveRequestSchema = Type.Object(
  {
    stream: Type.Optional(Type.String({ maxLength: 64, description: 'Stream of the rejects. Default: the first one' })),
    apply: Type.Optional(Type.Boolean({ default: false, description: 'Produces the events. Otherwise the answer is the plan' })),
    reason: Type.Optional(Type.String({ minLength: 3, maxLength: 500, description: 'Reason for the audit log. `apply` needs it' })),
    rejects: Type.Array(
      Type.Object(
        {
          partition,
          offset,
          event: Type.Optional(
            Type.Record(Type.String(), Type.Unknown(), { description: 'The corrected event. Default: the event of the record' }),
          ),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: rejectLimits.redrivenMax, description: 'The rejects to redrive' },
    ),
  },
  { additionalProperties: false, title: 'RedriveRequest', description: 'Rejects to produce again under the same event ids.' },
);

/** Body of `POST /v1/rejects/redrive`. */
export type RedriveRequest = Plain<typeof redriveRequestSchema>;

const actions = ['produce', 'landed', 'waiting', 'refused'] as const;

/** Schema of {@link RedriveAnswer}. */
export const redriveAnswerSchema = Type.Object(
  {
    applied: Type.Boolean({ description: 'Whether the events were produced' }),
    topic: Type.String({ description: 'Topic of the events' }),
    counts: Type.Object(
      {
        produce: count('Events that are produced, or would be'),
        landed: count('Events that already are rows'),
        waiting: count('Events that are in the topic and become rows'),
        refused: count('Events that still break a rule'),
      },
      { description: 'Number of rejects by action' },
    ),
    lines: Type.Array(
      Type.Object({
        partition,
        offset,
        eventId: Type.Optional(Type.String({ description: 'Identity of the event' })),
        action: Type.Enum([...actions], { description: 'As in `counts`' }),
        reason: Type.Optional(Type.String({ description: 'Reason of the action; absent for `produce`' })),
        to: Type.Optional(
          Type.Object(
            {
              partition,
              key: Type.String({ description: 'Key of the event' }),
              offset: Type.Optional(Type.String({ description: 'Offset that Kafka gave. Absent in a plan' })),
            },
            { description: 'Destination of the event' },
          ),
        ),
      }),
      { description: 'One item for each reject of the request, in its order' },
    ),
  },
  { title: 'RedriveAnswer', description: 'The plan or the result of a redrive.' },
);

/** Answer to `POST /v1/rejects/redrive`. */
export type RedriveAnswer = Plain<typeof redriveAnswerSchema>;

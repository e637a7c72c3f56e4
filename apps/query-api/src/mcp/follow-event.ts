import { identityField, type Stream } from '@millrace/contracts';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { Type, type Static } from 'typebox';
import { validationError } from '../errors.ts';
import { askInline } from '../queries/ask-inline.ts';
import { isFinal } from '../queries/query-record.ts';
import { waitSecondsDefault } from './query-tools.ts';
import type { ToolCall, ToolParts } from './tool-call.ts';
import { toolInput } from './tool-input.ts';
import { answered, refused } from './tool-result.ts';

/** Time beyond the wait for the event in which the query itself must answer, in milliseconds. */
const answerMs = 5000;

/** Clients give up after 60 s. */
const waitSecondsMax = 50;

const followSchema = Type.Object(
  {
    eventId: Type.String({
      pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
      description: 'Identity of the event, a UUID in lower case',
    }),
    table: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Table of the event. Default: the first one' })),
    date: Type.Optional(
      Type.String({
        pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
        description: 'UTC date of the event, YYYY-MM-DD. Without it every partition is scanned',
      }),
    ),
    partition: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'Partition in the receipt of the event' })),
    offset: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,16}$',
        description: 'Offset in the receipt. With a partition, the tool waits until the table holds it',
      }),
    ),
    waitSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: waitSecondsMax, description: `Longest wait in seconds. Default: ${waitSecondsDefault}` }),
    ),
  },
  { additionalProperties: false },
);

export const followInput = toolInput(followSchema);

/**
 * Looks for the row of an event, by a query of the caller.
 *
 * - `queryable`: the table has the row.
 * - `not-landed`: the table does not hold the offset of the receipt yet.
 * - `not-found`: no row. The event has not landed, was rejected, is older than the table, or does not exist.
 */
export async function followEvent(
  { queries, streams }: ToolParts,
  { eventId, table, date, partition, offset, waitSeconds: seconds = waitSecondsDefault }: Static<typeof followSchema>,
  { caller, limits }: ToolCall,
): Promise<CallToolResult> {
  const stream = table === undefined ? streams[0] : streams.find((candidate) => candidate.table === table);
  if (stream === undefined)
    throw validationError([{ field: 'table', message: `must be one of ${streams.map((candidate) => candidate.table).join(', ')}` }]);
  if ((partition === undefined) !== (offset === undefined))
    throw validationError([{ field: partition === undefined ? 'partition' : 'offset', message: 'is required: a receipt has both' }]);
  const body = {
    sql: `SELECT * FROM ${stream.table} WHERE ${identityColumnOf(stream)} = ?${date === undefined ? '' : ` AND ${stream.partitionKey} = ?`} LIMIT 1`,
    parameters: date === undefined ? [eventId] : [eventId, date],
    timeoutMs: seconds * 1000,
    ...(partition === undefined || offset === undefined ? {} : { waitFor: { topic: stream.topic.name, partition, offset } }),
  };
  const { record, page } = await askInline(queries, body, caller, limits, {
    waitMs: seconds * 1000 + answerMs,
    rows: 1,
    onTimeout: 'cancel',
  });
  const error = record.outcome?.error;
  const found = { eventId, table: stream.table };
  if (error?.type === 'urn:millrace:problem:not-covered') return answered({ ...found, status: 'not-landed', detail: error.detail });
  if (error !== undefined) return refused(`${error.type.split(':').at(-1)}: ${error.detail}`);
  if (!isFinal(record.state) || page === undefined)
    return refused(`The row was not found within ${seconds} s. Name the date of the event, or wait longer.`);
  const [row] = page.rows;
  if (row === undefined) {
    const detail = 'The table has no row of this event. It has not landed, was rejected, or does not exist.';
    return answered({ ...found, status: 'not-found', detail });
  }
  return answered({ ...found, status: 'queryable', row: Object.fromEntries(page.columns.map(({ name }, index) => [name, row[index]])) });
}

function identityColumnOf({ columns }: Stream): string {
  return columns.find(({ field }) => field === identityField)!.name;
}

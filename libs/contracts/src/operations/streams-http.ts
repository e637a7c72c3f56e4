import { Type } from 'typebox';
import type { Plain } from '../plain.ts';

const columns = Type.Array(
  Type.Object({ name: Type.String({ description: 'Name of the column' }), type: Type.String({ description: 'Type in Iceberg' }) }),
);

const schemaVersionSchema = Type.Object(
  {
    schema: Type.Integer({ minimum: 0, description: 'Number of the schema in the Iceberg table' }),
    isCurrent: Type.Boolean({ description: 'Whether the table has this schema now' }),
    columns,
    added: Type.Array(Type.String(), { description: 'Columns that the previous schema lacks' }),
  },
  { title: 'SchemaVersion', description: 'One schema that the Iceberg table had.' },
);

const streamDetailSchema = Type.Object(
  {
    name: Type.String({ description: 'Name of the stream' }),
    description: Type.String({ description: 'One sentence about one event' }),
    topic: Type.String({ description: 'Topic of the events' }),
    partitions: Type.Integer({ minimum: 1, description: 'Number of partitions of the topic at its creation. It may have grown since' }),
    key: Type.String({ description: 'Field that is the key: events of one key keep their order' }),
    eventType: Type.String({ description: 'CloudEvents type of the events' }),
    contract: Type.String({ description: 'Version of the contract: topic and revision' }),
    database: Type.String({ description: 'Database of the table' }),
    table: Type.String({ description: 'Table that the events land in' }),
    scope: Type.String({ description: 'Scope that posting needs' }),
    schema: Type.Record(Type.String(), Type.Unknown(), { description: 'JSON Schema (2020-12) of the values in the topic' }),
    example: Type.Record(Type.String(), Type.Unknown(), { description: 'An event that follows the schema' }),
    asyncApi: Type.String({ description: 'Path of the AsyncAPI document' }),
    history: Type.Union([Type.Array(schemaVersionSchema, { description: 'Schemas of the Iceberg table, the newest first' }), Type.Null()], {
      description: 'Null without an Iceberg table, or when it cannot be read',
    }),
  },
  { title: 'StreamDetail', description: 'One kind of event with its schema and the history of it.' },
);

/** Schema of {@link StreamDetails}. */
export const streamDetailsSchema = Type.Object(
  { streams: Type.Array(streamDetailSchema) },
  { title: 'StreamDetails', description: 'The streams whose tables can be queried.' },
);

/** Answer to `GET /v1/streams` of the query API. */
export type StreamDetails = Plain<typeof streamDetailsSchema>;
/** One stream of {@link StreamDetails}. */
export type StreamDetail = StreamDetails['streams'][number];

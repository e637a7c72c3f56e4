import { exampleEventOf, jsonSchemaOf, writeScopeOf, type Stream, type StreamDetail, type StreamDetails } from '@millrace/contracts';
import type { SchemaHistory } from './schema-history.ts';

/** A stream, and the reader of its history. */
export interface DescribedStream {
  readonly stream: Stream;
  readonly history: Pick<SchemaHistory, 'read'>;
}

/** The streams for clients. A history that cannot be read is null: the rest of the answer needs no other part. */
export async function streamDetails(
  streams: readonly DescribedStream[],
  database: string,
  onFailure: (error: unknown, stream: Stream) => void,
  signal: AbortSignal,
): Promise<StreamDetails> {
  return {
    streams: await Promise.all(
      streams.map(async ({ stream, history }) => {
        const read = history.read(signal).catch((error: unknown) => {
          onFailure(error, stream);
          return null;
        });
        return detailOf(stream, database, await read);
      }),
    ),
  };
}

function detailOf(stream: Stream, database: string, history: StreamDetail['history']): StreamDetail {
  const { name, eventSchema, topic, keyField, eventType, contract, table } = stream;
  return {
    name,
    description: (eventSchema as { description?: string }).description ?? '',
    topic: topic.name,
    partitions: topic.partitions,
    key: keyField,
    eventType,
    contract,
    database,
    table,
    scope: writeScopeOf(stream),
    schema: jsonSchemaOf(stream),
    example: exampleEventOf(stream),
    asyncApi: `/v1/streams/${name}/asyncapi`,
    history,
  };
}

import { Type } from 'typebox';
import { cloudEventsVersion, headerNames } from '../headers.ts';
import type { Stream } from '../streams/stream.ts';
import type { JsonObject } from './schema-components.ts';

/** Derives the JSON Schema (2020-12) of the values of a stream's topic. */
export function jsonSchemaOf({ eventSchema }: Stream): JsonObject {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...plain(eventSchema) };
}

/** Derives the AsyncAPI 3 document of a stream: its topic, the key, the headers and the values. */
export function asyncApiOf(stream: Stream): JsonObject {
  const { name, topic, contract, keyField, eventSchema, eventType, eventSource } = stream;
  const { $id: _id, ...payload } = plain(eventSchema);
  const { title, description } = payload as { title?: string; description?: string };
  const message = title ?? name;
  const keySchema = (eventSchema.properties as Readonly<Record<string, object>>)[keyField]!;
  return {
    asyncapi: '3.0.0',
    info: {
      title: `Millrace stream ${name}`,
      version: `${contract.slice(contract.lastIndexOf('/') + 1)}.0.0`,
      description: `The events of the stream ${name}. Any producer may write them and any consumer may read them. A field may be added if it is optional; any other change needs a new topic.`,
    },
    defaultContentType: 'application/json',
    channels: {
      [name]: {
        address: topic.name,
        messages: { [message]: { $ref: `#/components/messages/${message}` } },
        bindings: {
          kafka: {
            topic: topic.name,
            partitions: topic.partitions,
            topicConfiguration: {
              'cleanup.policy': [topic.config['cleanup.policy'] ?? 'delete'],
              'retention.ms': Number(topic.config['retention.ms'] ?? -1),
              'retention.bytes': Number(topic.config['retention.bytes'] ?? -1),
              'max.message.bytes': topic.maxMessageBytes,
            },
            bindingVersion: '0.5.0',
          },
        },
      },
    },
    operations: {
      [`receive-${name}`]: {
        action: 'receive',
        channel: { $ref: `#/channels/${name}` },
        summary: `Consume the events of ${name}. Events of one key keep their order.`,
      },
    },
    components: {
      messages: {
        [message]: {
          name: eventType,
          title: message,
          ...(description === undefined ? {} : { summary: description }),
          contentType: 'application/json',
          headers: plain(headersSchema(eventType, eventSource)),
          payload,
          bindings: {
            kafka: {
              key: { ...plain(keySchema), description: `The field ${keyField}; it selects the partition` },
              bindingVersion: '0.5.0',
            },
          },
        },
      },
    },
  };
}

// The sink needs none of them: a foreign producer may leave them out.
function headersSchema(eventType: string, eventSource: string): object {
  return Type.Object(
    {
      [headerNames.id]: Type.Optional(Type.String({ description: 'Identity of the event, as `eventId` of the value' })),
      [headerNames.type]: Type.Optional(Type.String({ description: `\`${eventType}\`` })),
      [headerNames.source]: Type.Optional(Type.String({ description: `\`${eventSource}\` for events of the purchase API` })),
      [headerNames.specVersion]: Type.Optional(Type.String({ description: `\`${cloudEventsVersion}\`` })),
      [headerNames.time]: Type.Optional(Type.String({ description: 'Time of the event, RFC 3339' })),
      [headerNames.contentType]: Type.Optional(Type.String({ description: '`application/json`' })),
      [headerNames.traceparent]: Type.Optional(Type.String({ description: 'W3C trace context' })),
      [headerNames.deadline]: Type.Optional(
        Type.String({
          description: 'Time in milliseconds since 1970 after which the client no longer waits. An event in the topic lands regardless',
        }),
      ),
    },
    { description: 'CloudEvents 1.0 in binary mode, and W3C trace context. Each header is optional.' },
  );
}

function plain(schema: object): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}

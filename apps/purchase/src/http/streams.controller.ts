import { jsonSchemaOf, type JsonObject, type Stream, type StreamList, writeScopeOf } from '@millrace/contracts';
import { ProblemError } from '@millrace/runtime';
import { Controller, Get, Header, Inject, Param } from '@nestjs/common';

/** Injection token of the streams that the service accepts. */
export const STREAMS = Symbol('STREAMS');

/** `/v1/streams` */
@Controller('v1/streams')
export class StreamsController {
  readonly #list: StreamList;
  readonly #schemas: ReadonlyMap<string, JsonObject>;

  constructor(@Inject(STREAMS) streams: readonly Stream[]) {
    this.#list = { streams: streams.map(viewOf) };
    this.#schemas = new Map(streams.map((stream) => [stream.name, jsonSchemaOf(stream)]));
  }

  @Get()
  streams(): StreamList {
    return this.#list;
  }

  @Get(':name/schema')
  @Header('content-type', 'application/schema+json')
  schema(@Param('name') name: string): JsonObject {
    const schema = this.#schemas.get(name);
    if (schema === undefined)
      throw new ProblemError('not-found', { detail: `There is no stream of this name; GET /v1/streams lists the streams.` });
    return schema;
  }
}

function viewOf(stream: Stream): StreamList['streams'][number] {
  const { name, eventSchema, topic, keyField, eventType, database, table } = stream;
  return {
    name,
    description: (eventSchema as { description?: string }).description ?? '',
    routes: [`/v1/${name}`, `/v1/${name}/batch`],
    scope: writeScopeOf(stream),
    topic: topic.name,
    partitions: topic.partitions,
    key: keyField,
    eventType,
    schema: `/v1/streams/${name}/schema`,
    database,
    table,
  };
}

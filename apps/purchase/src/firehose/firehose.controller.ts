import { OwnCredentials } from '@millrace/runtime';
import { Controller, Inject, Post, Res, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EventTaker } from '../events/event-service.ts';
import { limitsOf } from '../http/request-limits.ts';
import { traceOf } from '../http/request-trace.ts';
import type { PublishLimits } from '../publish/publish-call.ts';
import type { DrawHex } from '../publish/random-hex.ts';
import type { AccessKeys } from './access-keys.ts';
import { FirehoseError } from './firehose-error.ts';
import { firehoseLimits, readFirehoseRequest } from './firehose-request.ts';
import { batchAnswerOf, putRecords, recordAnswerOf } from './put-records.ts';
import { verifySignature } from './verify-signature.ts';

/** Injection token of the {@link FirehoseParts}. */
export const FIREHOSE = Symbol('FIREHOSE');

/** Dependencies of the controller. */
export interface FirehoseParts {
  /** The service of each delivery stream, by the name of the delivery stream. */
  readonly services: ReadonlyMap<string, Pick<EventTaker, 'takeBatch'>>;
  /** Access keys of the signatures. Undefined: requests need no signature. */
  readonly accessKeys: AccessKeys | undefined;
  readonly requestMsMax: number;
  readonly draw: DrawHex;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const mediaType = 'application/x-amz-json-1.1';

/** `POST /`: the operations `PutRecord` and `PutRecordBatch` of Amazon Data Firehose, for producers that use an AWS SDK. */
@Controller()
export class FirehoseController implements OnModuleInit {
  constructor(
    @Inject(FIREHOSE) private readonly parts: FirehoseParts,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    // The signature is over the bytes of the body.
    fastify.addContentTypeParser(mediaType, { parseAs: 'buffer', bodyLimit: firehoseLimits.bodyBytesMax }, (_request, body, done) => {
      done(null, body);
    });
  }

  @Post()
  @OwnCredentials()
  async put(@Res() reply: FastifyReply): Promise<void> {
    const { request } = reply;
    try {
      const limits = limitsOf(request, reply, this.parts.requestMsMax);
      send(reply, 200, await this.answerTo(request, limits));
    } catch (error) {
      if (!(error instanceof FirehoseError)) throw error;
      void reply.header('x-amzn-errortype', error.code);
      send(reply, error.status, { __type: error.code, message: error.message });
    }
  }

  private async answerTo(request: FastifyRequest, limits: PublishLimits): Promise<object> {
    const { headers, body } = request;
    if (!Buffer.isBuffer(body)) throw new FirehoseError('SerializationException', `Send the request as ${mediaType}.`);
    const { services, accessKeys, now, draw } = this.parts;
    if (accessKeys !== undefined) await verifySignature({ headers, body }, accessKeys, now());
    const { operation, stream, records } = readFirehoseRequest(headers['x-amz-target'], body);
    const service = services.get(stream);
    if (service === undefined) {
      const known = [...services.keys()].join(', ');
      throw new FirehoseError(
        'ResourceNotFoundException',
        `Firehose ${stream} not found: the delivery streams of this service are ${known}.`,
      );
    }
    const trace = traceOf(request, draw);
    const answers = await putRecords(records, async (items) => await service.takeBatch(items, trace, limits));
    return operation === 'PutRecord' ? recordAnswerOf(answers) : batchAnswerOf(answers);
  }
}

function send(reply: FastifyReply, status: number, answer: object): void {
  // Bytes, because Fastify adds a charset to the media type of text.
  void reply
    .code(status)
    .headers({ 'content-type': mediaType, 'x-amzn-requestid': reply.request.id })
    .send(Buffer.from(JSON.stringify(answer)));
}

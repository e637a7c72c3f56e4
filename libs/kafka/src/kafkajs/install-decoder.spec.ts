import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchBytes } from '../testing/batch-bytes.ts';
import { readAnswer } from '../read-answer.ts';
import { answerProperty, type CarrierMessage } from './fetch-response.ts';
import { fetchVersions, installDecoder, responseModule } from './install-decoder.ts';
import { answerOf } from './kafka-client.ts';

interface Response {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly CarrierMessage[] }[];
  }[];
}

const require = createRequire(import.meta.url);
const own = new Map<number, (bytes: Buffer) => Promise<unknown>>();

beforeAll(() => {
  for (const version of fetchVersions) own.set(version, responseModule(version).decode);
  installDecoder();
});

describe.each(fetchVersions)('version %i of the Fetch response', (version) => {
  it('the decoded response has the fields of kafkajs, except for the messages', async () => {
    const bytes = responseBytes(version, [{ records: batchBytes({ records: [{ key: 'k', value: 'v' }] }) }, { records: Buffer.alloc(0) }]);
    expect(withoutMessages(await responseModule(version).decode(bytes))).toEqual(withoutMessages(await own.get(version)!(bytes)));
  });

  it('kafkajs uses the decoder of Millrace', async () => {
    const { response } = lookUp(version);
    const bytes = responseBytes(version, [{ records: batchBytes({ codec: 'lz4', records: [{ value: 'v', headers: [['x', null]] }] }) }]);
    const { responses } = (await response.parse(await response.decode(bytes))) as Response;
    expect(responses[0]!.topicName).toBe('topic');
    const [{ partition, messages }] = responses[0]!.partitions as [Response['responses'][number]['partitions'][number]];
    expect(partition).toBe(0);
    const [run] = readAnswer(messages[0]![answerProperty], 0);
    expect(run!.records.map(({ value }) => String(value))).toEqual(['v']);
  });

  it('a partition that the broker could not read does not affect other partitions', async () => {
    const { response } = lookUp(version);
    const bytes = responseBytes(version, [
      { errorCode: 2, records: Buffer.alloc(0) },
      { records: batchBytes({ records: [{ value: 'v' }] }) },
    ]);
    const { responses } = (await response.parse(await response.decode(bytes))) as Response;
    const runs = responses[0]!.partitions.map(({ messages }) => [...readAnswer(messages[0]![answerProperty], 0)][0]!);
    expect(runs[0]!.undecodable?.reason).toBe('the broker answers CORRUPT_MESSAGE');
    expect(runs[1]!.records).toHaveLength(1);
  });

  it('any other error of a partition fails as kafkajs expects', async () => {
    const { response } = lookUp(version);
    const decoded = await response.decode(responseBytes(version, [{ errorCode: 1, records: Buffer.alloc(0) }]));
    await expect(response.parse(decoded)).rejects.toMatchObject({ name: 'KafkaJSOffsetOutOfRange' });
  });
});

it('kafkajs requests no version of the Fetch response that keeps its original decoder', () => {
  const { versions } = require('kafkajs/src/protocol/requests/fetch') as { versions: readonly string[] };
  expect(versions.map(Number).filter((version) => version >= 4)).toEqual(fetchVersions);
});

describe('the carrier of a Fetch answer', () => {
  // kafkajs wraps a partition of a response in this class before it calls eachBatch.
  const KafkaBatch = require('kafkajs/src/consumer/batch') as new (
    topic: string,
    fetchedOffset: string,
    partition: unknown,
  ) => Parameters<typeof answerOf>[0] & { isEmpty: () => boolean };

  it('the carrier reaches eachBatch even when every record of the answer is hidden', async () => {
    const bytes = responseBytes(11, [
      { records: batchBytes({ baseOffset: 7, control: true, producerId: 1n, records: [{ key: Buffer.from([0, 0, 0, 1]) }] }) },
    ]);
    const { responses } = (await responseModule(11).decode(bytes)) as Response;
    const batch = new KafkaBatch('topic', '7', responses[0]!.partitions[0]);
    expect(batch.isEmpty()).toBe(false);
    const { fetchedOffset, answer } = answerOf(batch);
    expect([...readAnswer(answer, fetchedOffset)]).toEqual([{ records: [], next: 8 }]);
  });

  it('the carrier is absent for a partition without new records, and present while a transaction delays records', async () => {
    const bytes = responseBytes(11, [{ records: Buffer.alloc(0) }, { records: Buffer.alloc(0), lastStableOffset: 3n }]);
    const { responses } = (await responseModule(11).decode(bytes)) as Response;
    expect(responses[0]!.partitions.map(({ messages }) => messages.length)).toEqual([0, 1]);
  });

  it('a batch of a client without the carrier is an error', () => {
    expect(() => answerOf({ messages: [] })).toThrow('make the client with kafkaClient');
  });
});

function withoutMessages(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) =>
      ['messages', 'lastStartOffset', 'abortedTransactions'].includes(key) ? undefined : value,
    ),
  );
}

function lookUp(version: number): {
  readonly response: { readonly decode: (bytes: Buffer) => Promise<unknown>; readonly parse: (data: unknown) => Promise<unknown> };
} {
  const { protocol } = require('kafkajs/src/protocol/requests/fetch') as {
    protocol: (of: { version: number }) => (request: unknown) => ReturnType<typeof lookUp>;
  };
  return protocol({ version })({ maxWaitTime: 1, minBytes: 1, maxBytes: 1, topics: [] });
}

function responseBytes(
  version: number,
  partitions: readonly { readonly records: Buffer; readonly errorCode?: number; readonly lastStableOffset?: bigint }[],
): Buffer {
  const bodies = partitions.map(({ records, errorCode = 0, lastStableOffset = 9n }, n) =>
    Buffer.concat([
      int32(n),
      int16(errorCode),
      int64(9n),
      int64(lastStableOffset),
      ...(version >= 5 ? [int64(0n)] : []),
      int32(1),
      int64(5n),
      int64(6n),
      ...(version >= 11 ? [int32(-1)] : []),
      int32(records.length),
      records,
    ]),
  );
  return Buffer.concat([
    int32(0),
    ...(version >= 7 ? [int16(0), int32(0)] : []),
    int32(1),
    int16(5),
    Buffer.from('topic'),
    int32(bodies.length),
    ...bodies,
  ]);
}

function int16(value: number): Buffer {
  return Buffer.from([(value >> 8) & 255, value & 255]);
}

function int32(value: number): Buffer {
  return Buffer.concat([int16(value >> 16), int16(value & 0xffff)]);
}

function int64(value: bigint): Buffer {
  return Buffer.concat([int32(Number(value >> 32n)), int32(Number(value & 0xffffffffn))]);
}

import { describe, expect, it } from 'vitest';
import { correlationIdOf, cutAnswer, kafkaFrames, kafkaRequestOf } from './kafka-frames.ts';

function frame(api: number, correlationId: number, body: string): Buffer {
  const head = Buffer.alloc(12);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt16BE(api, 4);
  head.writeInt16BE(9, 6);
  head.writeInt32BE(correlationId, 8);
  return Buffer.concat([head, Buffer.from(body)]);
}

async function split(bytes: Buffer, size: number): Promise<Buffer[]> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const frames: Buffer[] = [];
  for await (const one of kafkaFrames(chunks())) frames.push(one);
  return frames;
}

describe('Kafka frames', () => {
  const frames = [frame(0, 7, 'a produce request'), frame(3, 8, ''), frame(77, 9, 'x')];

  it.each([1, 2, 3, 5, 11, 1000])('frames are found in chunks of %i bytes', async (size) => {
    expect(await split(Buffer.concat(frames), size)).toEqual(frames);
  });

  it('a frame shows its API and its correlation id', () => {
    expect(frames.map(kafkaRequestOf)).toEqual([
      { api: 'Produce', correlationId: 7 },
      { api: 'Metadata', correlationId: 8 },
      { api: 'api-77', correlationId: 9 },
    ]);
    expect(correlationIdOf(Buffer.from([0, 0, 0, 4, 0, 0, 1, 2]))).toBe(258);
  });

  it('a truncated frame is a valid frame that ends after the correlation id', async () => {
    const cut = cutAnswer(Buffer.from([0, 0, 0, 9, 0, 0, 1, 2, 1, 2, 3, 4, 5]));
    expect(correlationIdOf(cut)).toBe(258);
    expect(await split(cut, 100)).toEqual([Buffer.from([0, 0, 0, 4, 0, 0, 1, 2])]);
  });

  it('a frame with an impossible length ends the stream with an error', async () => {
    await expect(split(Buffer.from('GET / HTTP/1.1\r\n'), 100)).rejects.toThrow(RangeError);
  });
});

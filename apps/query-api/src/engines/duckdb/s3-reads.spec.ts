import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { rangeReader } from './s3-reads.ts';

const file = { bucket: 'lake', key: 'k', bytes: 100, partition: 'p' };
const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Send = Parameters<typeof rangeReader>[0]['send'];

function reader(send: (signal: AbortSignal) => Promise<Readable>) {
  const stub = async (_command: unknown, { abortSignal }: { abortSignal: AbortSignal }) => ({ Body: await send(abortSignal) });
  return rangeReader({ send: stub as unknown as Send }, 5);
}

it('a read that S3 does not answer fails after its time', async () => {
  const read = reader(
    async (signal) =>
      await new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  const reading = read(file, 0, 10, never).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(5000);
  expect(await reading).toMatchObject({ message: 'S3 sent nothing for 5 s.' });
});

it('a read that falls silent in the middle fails after its time', async () => {
  const body = new Readable({ read: () => undefined });
  const stream = await reader(async () => body)(file, 0, 10, never);
  body.push(Buffer.from('abc'));
  const reading = stream.toArray().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(5000);
  expect(await reading).toMatchObject({ message: 'S3 sent nothing for 5 s.' });
  expect(body.destroyed).toBe(true);
});

it('a consumer that takes its time does not end the read', async () => {
  const stream = await reader(async () => Readable.from([Buffer.from('abc'), Buffer.from('def')]))(file, 0, 6, never);
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const text = [String((await chunks.next()).value)];
  await vi.advanceTimersByTimeAsync(60_000);
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) text.push(String(next.value));
  expect(text.join('')).toBe('abcdef');
});

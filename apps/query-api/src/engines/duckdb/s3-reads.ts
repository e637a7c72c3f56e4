import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ReadRange } from './file-reads.ts';

/** How often DuckDB tries one read of S3, the first included. */
export const triesOfRead = 3;

/** Time limit of DuckDB for one request to its worker, in seconds. The worker ends a read without progress much sooner. */
export const requestSecondsMax = 3600;

/** DuckDB's wait before it tries a read again, in milliseconds, and how that grows: 100 ms, then 400 ms. */
export const retryWaitMs = 100;
const retryBackOff = 4;

/** Time after which an unanswered read of S3 has failed for good, in milliseconds. */
export function readMsMax(readSeconds: number): number {
  return triesOfRead * readSeconds * 1000 + retryWaitMs * (1 + retryBackOff);
}

/**
 * Reads parts of files with the worker's client, so that its open connections are used again.
 *
 * @param readSeconds time without a byte from S3 after which a read fails. A slow consumer does not count.
 */
export function rangeReader(s3: Pick<S3Client, 'send'>, readSeconds: number): ReadRange {
  return async ({ bucket, key }, from, to, signal) => {
    const silence = new AbortController();
    const arm = (): NodeJS.Timeout =>
      setTimeout(() => silence.abort(new Error(`S3 sent nothing for ${readSeconds} s.`)), readSeconds * 1000);
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${from}-${to - 1}` });
    const timer = arm();
    try {
      const { Body } = await s3.send(command, { abortSignal: AbortSignal.any([signal, silence.signal]) });
      return Readable.from(readingFrom(Body as Readable, silence.signal, arm), { objectMode: false });
    } finally {
      clearTimeout(timer);
    }
  };
}

async function* readingFrom(body: Readable, silence: AbortSignal, arm: () => NodeJS.Timeout): AsyncGenerator<Buffer> {
  silence.addEventListener('abort', () => body.destroy(silence.reason as Error), { once: true });
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const timer = arm();
      const { done, value } = await chunks.next().finally(() => clearTimeout(timer));
      if (done === true) return;
      yield value;
    }
  } finally {
    body.destroy();
  }
}

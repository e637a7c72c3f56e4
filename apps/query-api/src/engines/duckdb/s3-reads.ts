import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ReadRange } from './file-reads.ts';

/** How often DuckDB tries one read of S3, the first included. */
export const triesOfRead = 3;

/** DuckDB's wait before it tries a read again, in milliseconds, and how that grows: 100 ms, then 400 ms. */
export const retryWaitMs = 100;
const retryBackOff = 4;

/** Milliseconds after which a read of S3 that is never answered has failed for good, with a time limit of so many seconds for each try. */
export function readMsMax(readSeconds: number): number {
  return triesOfRead * readSeconds * 1000 + retryWaitMs * (1 + retryBackOff);
}

/** Reads parts of files with the worker's own client, and thereby over the connections that it keeps. */
export function rangeReader(s3: Pick<S3Client, 'send'>): ReadRange {
  return async ({ bucket, key }, from, to, signal) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${from}-${to - 1}` }), {
      abortSignal: signal,
    });
    return Body as Readable;
  };
}

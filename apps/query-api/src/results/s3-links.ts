import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { LinkTo } from './result-links.ts';

/** Pre-signed addresses of S3. Signing makes no request once the client has its credentials. */
export function s3Links(client: S3Client, bucket: string): LinkTo {
  return async (key, expiresIn) => await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn });
}

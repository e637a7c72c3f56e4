import { splitRoot } from '@millrace/lake';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { LinkTo } from './result-links.ts';

/**
 * Pre-signed addresses of S3. Signing makes no request once the client has its credentials.
 *
 * @param root bucket and prefix of the results
 */
export function s3Links(client: S3Client, root: string): LinkTo {
  const { bucket, prefix } = splitRoot(root);
  // The owner of the bucket would become a header that the reader of the link must send.
  const anyOwner = { ExpectedBucketOwner: '' };
  return async (key, expiresIn) =>
    await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: prefix + key, ...anyOwner }), { expiresIn });
}

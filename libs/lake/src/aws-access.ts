import type { GlueClient } from '@aws-sdk/client-glue';
import type { S3Client } from '@aws-sdk/client-s3';
import { glueClient } from './glue-catalog.ts';
import { lakeConfigFrom, objectSettingsOf, type ObjectSettings } from './lake-settings.ts';
import { s3Client } from './s3-object-store.ts';

/** Keys for requests to AWS. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Access to the lake's S3 and Glue. The SDK finds each absent part through its own chain: a profile, web identity or a role. */
export interface AwsAccess {
  readonly region?: string;
  readonly credentials?: AwsKeys;
  /** URL of S3. Default: the SDK's. */
  readonly s3Endpoint?: string;
  /** URL of Glue. Default: the SDK's. */
  readonly glueEndpoint?: string;
  /** How objects are written, and whose bucket it must be. */
  readonly objects?: ObjectSettings;
}

/** Access to S3 with every value resolved, as DuckDB needs it. */
export interface S3Access extends AwsKeys {
  readonly region: string;
  readonly endpoint?: string | undefined;
}

/**
 * Reads the access from the SDK's own variables: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
 * `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL_GLUE`. An empty variable counts as absent. The default region is us-east-1,
 * unless `AWS_PROFILE` names a profile, which may have its own. The settings of the bucket are those of `lakeSettings`.
 *
 * @throws LakeError `misconfigured` when a setting of the bucket is not valid
 */
export function awsAccessFrom(env: Readonly<Record<string, string | undefined>>): AwsAccess {
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const region = given('AWS_REGION') ?? (given('AWS_PROFILE') === undefined ? 'us-east-1' : undefined);
  const [accessKeyId, secretAccessKey, sessionToken] = [
    given('AWS_ACCESS_KEY_ID'),
    given('AWS_SECRET_ACCESS_KEY'),
    given('AWS_SESSION_TOKEN'),
  ];
  const s3Endpoint = given('AWS_ENDPOINT_URL_S3') ?? given('AWS_ENDPOINT_URL');
  const glueEndpoint = given('AWS_ENDPOINT_URL_GLUE') ?? given('AWS_ENDPOINT_URL');
  return {
    ...(region === undefined ? {} : { region }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
    ...(s3Endpoint === undefined ? {} : { s3Endpoint }),
    ...(glueEndpoint === undefined ? {} : { glueEndpoint }),
    objects: objectSettingsOf(lakeConfigFrom(env)),
  };
}

/** Options of {@link openLakeClients}. */
export interface LakeClientOptions {
  /** Attempts of each call, the first one included, ≥ 1. Default 1: a pipeline owns the retries. */
  readonly maxAttempts?: number;
  /** Open connections to S3 at most, ≥ 1. Default 50. */
  readonly s3SocketsMax?: number;
}

/** Opens clients of the lake's S3 and Glue. The caller destroys both. */
export function openLakeClients(
  access: AwsAccess,
  { maxAttempts = 1, s3SocketsMax }: LakeClientOptions = {},
): { readonly s3: S3Client; readonly glue: GlueClient } {
  return {
    s3: s3Client(
      s3SocketsMax === undefined ? {} : { socketsMax: s3SocketsMax },
      { maxAttempts, ...clientSettings(access, access.s3Endpoint) },
      access.objects,
    ),
    glue: glueClient({}, { maxAttempts, ...clientSettings(access, access.glueEndpoint) }),
  };
}

/**
 * Resolves region and keys through the SDK.
 *
 * @throws Error of the SDK when it finds no credentials or no region
 */
export async function resolveS3Access(access: AwsAccess): Promise<S3Access> {
  const client = s3Client({}, clientSettings(access, undefined));
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
    return { region: await client.config.region(), accessKeyId, secretAccessKey, sessionToken, endpoint: access.s3Endpoint };
  } finally {
    client.destroy();
  }
}

function clientSettings(
  { region, credentials }: AwsAccess,
  endpoint: string | undefined,
): { region?: string; credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }; endpoint?: string } {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials ?? {};
  return {
    ...(region === undefined ? {} : { region }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

import { AthenaClient } from '@aws-sdk/client-athena';
import type { GlueClient } from '@aws-sdk/client-glue';
import type { S3Client } from '@aws-sdk/client-s3';
import { awsConnections, glueClient, s3Client, type ConnectionSettings, type ObjectSettings } from '@millrace/lake';

/** Endpoints of AWS or of an emulator; undefined leaves the choice to the SDK. */
export interface AwsSettings {
  /** Default: the profile's (`AWS_PROFILE`), or us-east-1. */
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly s3Endpoint: string | undefined;
  readonly glueEndpoint: string | undefined;
  readonly athenaEndpoint: string | undefined;
  /** How objects are written, and whose bucket it must be. Default: as the bucket decides. */
  readonly objects?: ObjectSettings;
  /** Time to open a connection to each, in milliseconds. Default 2000. */
  readonly connectTimeoutMs?: { readonly [service in 's3' | 'glue' | 'athena']?: number | undefined };
}

/** Clients without retries and without a time limit. The pipelines own both, and the signal of an attempt ends its request. */
export interface AwsClients {
  readonly s3: S3Client;
  readonly glue: GlueClient;
  readonly athena: AthenaClient;
  destroy(): void;
}

export function awsClients({
  region,
  endpoint,
  s3Endpoint = endpoint,
  glueEndpoint = endpoint,
  athenaEndpoint = endpoint,
  objects,
  connectTimeoutMs = {},
}: AwsSettings): AwsClients {
  const limitsOf = (service: 's3' | 'glue' | 'athena'): ConnectionSettings => ({
    connectTimeoutMs: connectTimeoutMs[service],
    idleTimeoutMs: 0,
  });
  const place = { region: region ?? regionOfSdk };
  const placeOf = (at: string | undefined): typeof place & { endpoint?: string } => ({
    ...place,
    ...(at === undefined ? {} : { endpoint: at }),
  });
  const s3 = s3Client(limitsOf('s3'), placeOf(s3Endpoint), objects);
  const glue = glueClient(limitsOf('glue'), placeOf(glueEndpoint));
  const athena = new AthenaClient({ maxAttempts: 1, requestHandler: awsConnections(limitsOf('athena')), ...placeOf(athenaEndpoint) });
  return {
    s3,
    glue,
    athena,
    destroy() {
      s3.destroy();
      glue.destroy();
      athena.destroy();
    },
  };
}

// The SDK reads a region from AWS_REGION and from profiles, and fails without one.
async function regionOfSdk(): Promise<string> {
  const client = s3Client();
  try {
    return await client.config.region();
  } catch {
    return 'us-east-1';
  } finally {
    client.destroy();
  }
}

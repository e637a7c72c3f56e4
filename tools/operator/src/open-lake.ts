import { purchases, type Stream } from '@millrace/contracts';
import { GlueCatalog, glueClient, s3Client, S3ObjectStore } from '@millrace/lake';
import { OperatorError } from './errors.ts';

/** The lake that the environment names. */
export interface Lake {
  readonly stream: Stream;
  readonly store: S3ObjectStore;
  readonly catalog: GlueCatalog;
  readonly bucket: string;
  /** The table's name in Glue: another one than its prefix after a switch to a replay. */
  readonly catalogTable: string;
  close(): void;
}

/**
 * Opens the lake: bucket, database and table as the services' own settings name them (`LAKE_BUCKET`, `LAKE_DATABASE`, `SINK_TABLE`,
 * `SINK_CATALOG_TABLE`, `SINK_TOPIC`).
 *
 * @param table the table, where a command line names it: its prefix in the bucket
 * @param catalogTable its name in Glue, where that is another one
 * @throws OperatorError when the name of the table is none
 */
export function openLake(env: Readonly<Record<string, string>>, table?: string, catalogTable = table ?? env['SINK_CATALOG_TABLE'] ?? env['SINK_TABLE'] ?? purchases.table): Lake {
  const name = table ?? env['SINK_TABLE'] ?? purchases.table;
  if (!/^[a-z][a-z0-9_]{0,127}$/.test(name)) throw new OperatorError(`"${name}" is no name of a table: lower-case letters, digits and underscores, a letter first.`);
  const stream: Stream = { ...purchases, table: name, database: env['LAKE_DATABASE'] ?? purchases.database, topic: { ...purchases.topic, name: env['SINK_TOPIC'] ?? purchases.topic.name } };
  const bucket = env['LAKE_BUCKET'] ?? 'millrace-lake';
  // A command is one caller with a person waiting: the SDK's own retries are the only layer, and enough.
  const shared = { ...awsOf(env), maxAttempts: 3 };
  const s3 = s3Client({ socketsMax: 32 }, endpointed(shared, s3EndpointOf(env)));
  const glue = glueClient({}, endpointed(shared, env['AWS_ENDPOINT_URL_GLUE'] ?? env['AWS_ENDPOINT_URL']));
  return {
    stream,
    bucket,
    catalogTable,
    store: new S3ObjectStore(s3, bucket),
    catalog: new GlueCatalog(glue, stream, bucket, undefined, stream.database, catalogTable),
    close() {
      s3.destroy();
      glue.destroy();
    },
  };
}

/** How DuckDB reaches the lake's S3. */
export interface S3Access {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** Asks the SDK for the access to S3 that the environment names: keys, a profile, web identity or a role. */
export async function s3AccessOf(env: Readonly<Record<string, string>>): Promise<S3Access> {
  const client = s3Client({}, awsOf(env));
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
    return { region: await client.config.region(), accessKeyId, secretAccessKey, sessionToken, endpoint: s3EndpointOf(env) };
  } finally {
    client.destroy();
  }
}

function s3EndpointOf(env: Readonly<Record<string, string>>): string | undefined {
  return env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
}

// The environment's own region and keys. Anything else is left to the SDK, a profile's region too.
function awsOf(env: Readonly<Record<string, string>>): { region?: string; credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } } {
  const { AWS_PROFILE: profile, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  const region = env['AWS_REGION'] ?? (profile === undefined ? 'us-east-1' : undefined);
  const place = region === undefined ? {} : { region };
  if (accessKeyId === undefined || secretAccessKey === undefined) return place;
  return { ...place, credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } };
}

function endpointed<T extends object>(settings: T, endpoint: string | undefined): T & { endpoint?: string } {
  return endpoint === undefined ? settings : { ...settings, endpoint };
}

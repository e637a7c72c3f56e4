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
  const s3 = s3Client({ socketsMax: 32 }, endpointed(shared, env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']));
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

/** Region and, where the environment has them, static credentials. */
export function awsOf(env: Readonly<Record<string, string>>): { region: string; credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } } {
  const { AWS_REGION: region = 'us-east-1', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (accessKeyId === undefined || secretAccessKey === undefined) return { region };
  return { region, credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } };
}

function endpointed<T extends object>(settings: T, endpoint: string | undefined): T & { endpoint?: string } {
  return endpoint === undefined ? settings : { ...settings, endpoint };
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  brokerList,
  cacheOf,
  externalParts,
  homeOf,
  readPorts,
  serviceNames,
  type BrokerNumber,
  type Env,
  type PartName,
  type ServiceName,
} from './places.mjs';

/** Whether a name is a service's; only those need a build. */
export function isService(name: string): name is ServiceName {
  return serviceNames.some((one) => one === name);
}

/** Addresses and folders of the stack, from the environment. */
export interface Settings {
  /** All state of this stack. */
  readonly home: string;
  /** Downloads; the stacks of a machine share them. */
  readonly cache: string;
  readonly ports: {
    readonly kafka: number;
    readonly kafkaProxied: number;
    readonly kafkaAdvertised: number;
    readonly kafkaController: number;
    readonly redis: number;
    readonly aws: number;
    readonly trino: number;
    readonly athena: number;
    readonly purchase: number;
    readonly sink: number;
    readonly query: number;
    readonly queryWorker: number;
    readonly projector: number;
  };
  /** Brokers of the Kafka of this stack. */
  readonly brokers: BrokerNumber;
  readonly kafkaBrokers: string;
  readonly redisUrl: string;
  readonly awsUrl: string;
  /** S3, where it is another store than the rest of AWS. */
  readonly s3Url: string;
  readonly glueUrl: string;
  readonly trinoUrl: string;
  readonly bucket: string;
  readonly database: string;
  /** Parts that the environment says are running elsewhere. They are not started. */
  readonly external: ReadonlySet<PartName>;
}

/**
 * Reads the settings.
 *
 * @param brokers brokers that Kafka shall have. Default: as many as it has in this home, and one in a new home
 * @throws StackError naming every port that is not one
 */
export function readSettings(env: Env, brokers: BrokerNumber = brokersIn(homeOf(env))): Settings {
  const ports = readPorts(env);
  const given = (key: string, fallback: string): string => (env[key] === undefined || env[key] === '' ? fallback : env[key]);
  const awsUrl = given('AWS_ENDPOINT_URL', `http://127.0.0.1:${ports.AWS_EMULATOR_PORT}`);
  return {
    home: homeOf(env),
    cache: cacheOf(env),
    ports: {
      kafka: ports.KAFKA_PORT,
      kafkaProxied: ports.KAFKA_PROXIED_PORT,
      kafkaAdvertised: ports.KAFKA_ADVERTISED_PORT,
      kafkaController: ports.KAFKA_CONTROLLER_PORT,
      redis: ports.REDIS_PORT,
      aws: ports.AWS_EMULATOR_PORT,
      trino: ports.TRINO_PORT,
      athena: ports.ATHENA_PORT,
      purchase: ports.PURCHASE_PORT,
      sink: ports.SINK_PORT,
      query: ports.QUERY_PORT,
      queryWorker: ports.QUERY_WORKER_PORT,
      projector: ports.PROJECTOR_PORT,
    },
    brokers,
    kafkaBrokers: given('KAFKA_BROKERS', brokerList(ports.KAFKA_PORT, brokers)),
    redisUrl: given('REDIS_URL', `redis://127.0.0.1:${ports.REDIS_PORT}`),
    awsUrl,
    s3Url: given('AWS_ENDPOINT_URL_S3', awsUrl),
    glueUrl: given('AWS_ENDPOINT_URL_GLUE', awsUrl),
    trinoUrl: given('TRINO_URL', `http://127.0.0.1:${ports.TRINO_PORT}`),
    bucket: env['LAKE_BUCKET'] ?? 'millrace-lake',
    database: env['LAKE_DATABASE'] ?? 'bookstore',
    external: externalParts(env),
  };
}

function brokersIn(home: string): BrokerNumber {
  return existsSync(join(home, 'kafka-2')) ? 3 : 1;
}

/** Variables that name a source of AWS credentials. */
const credentialKeys = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
];

/** The environment that services and tests of this stack get: the given one, and where this stack's parts are. */
export function serviceEnv(settings: Settings, env: Env): Record<string, string> {
  const given = Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
  return {
    SINK_FLUSH_SECONDS: '5',
    ...awsAccess(settings, given),
    MILLRACE_HOME: settings.home,
    KAFKA_BROKERS: settings.kafkaBrokers,
    REDIS_URL: settings.redisUrl,
    AWS_ENDPOINT_URL: settings.awsUrl,
    LAKE_BUCKET: settings.bucket,
    LAKE_DATABASE: settings.database,
    QUERY_DUCKDB_HTTPFS: given['QUERY_DUCKDB_HTTPFS'] ?? extensionPath(settings, 'httpfs'),
  };
}

// The emulator asks for credentials and accepts any. Where it is the only AWS, a profile is left out: it may need a login. Where
// another store takes part, the SDK finds credentials and region through the source that the environment names.
function awsAccess({ ports, awsUrl, s3Url, glueUrl }: Settings, given: Readonly<Record<string, string>>): Record<string, string> {
  const emulator = `http://127.0.0.1:${ports.aws}`;
  const athenaUrl = given['AWS_ENDPOINT_URL_ATHENA'] ?? emulator;
  const isLocalAthena = athenaUrl === emulator || athenaUrl === `http://127.0.0.1:${ports.athena}`;
  const onlyEmulator = isLocalAthena && [awsUrl, s3Url, glueUrl].every((url) => url === emulator);
  const ownKeys = given['AWS_ACCESS_KEY_ID'] !== undefined || (!onlyEmulator && credentialKeys.some((key) => given[key] !== undefined));
  // A profile may name the region.
  if (ownKeys) return given['AWS_PROFILE'] === undefined ? { AWS_REGION: 'us-east-1', ...given } : { ...given };
  const rest = Object.fromEntries(Object.entries(given).filter(([key]) => key !== 'AWS_PROFILE'));
  return { AWS_REGION: 'us-east-1', ...rest, AWS_ACCESS_KEY_ID: 'millrace', AWS_SECRET_ACCESS_KEY: 'millrace' };
}

/** Python environment with the AWS emulator. */
export function venvPath(settings: Settings): string {
  return join(settings.cache, 'venv');
}

/** DuckDB's extensions that the installer fetches. */
export const duckdbExtensions = ['httpfs', 'iceberg', 'avro'] as const;

/** An extension of DuckDB, linked to a stable name by the installer. */
export function extensionPath(settings: Settings, name: (typeof duckdbExtensions)[number]): string {
  return join(settings.cache, `${name}.duckdb_extension`);
}

/** Trino's server and connectors. */
export function trinoPath(settings: Settings): string {
  return join(settings.cache, 'trino');
}

/** Kafka's jars. */
export function kafkaJarsPath(settings: Settings): string {
  return join(settings.cache, 'kafka');
}

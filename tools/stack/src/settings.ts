import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StackError } from './errors.ts';

/** The environment, as the process has it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The repository's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Names of the parts, in the order in which they start. */
export const partNames = ['kafka', 'redis', 'aws'] as const;
export type PartName = (typeof partNames)[number];

/** Names of the services, in the order in which they start. */
export const serviceNames = ['purchase', 'sink', 'query-api', 'query-worker'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Whether a name is a service's; only those need a build. */
export function isService(name: string): name is ServiceName {
  return serviceNames.some((one) => one === name);
}

/** Where everything is, from the environment. */
export interface Settings {
  /** All state of this stack. */
  readonly home: string;
  /** What was downloaded; shared by the stacks of a machine. */
  readonly cache: string;
  readonly ports: {
    readonly kafka: number;
    readonly kafkaProxied: number;
    readonly kafkaAdvertised: number;
    readonly kafkaController: number;
    readonly redis: number;
    readonly aws: number;
    readonly purchase: number;
    readonly sink: number;
    readonly query: number;
    readonly queryWorker: number;
  };
  readonly kafkaBrokers: string;
  readonly redisUrl: string;
  readonly awsUrl: string;
  readonly bucket: string;
  readonly database: string;
  /** Parts that are already there, by the environment's word, and are not started. */
  readonly external: ReadonlySet<PartName>;
}

/**
 * Reads the settings.
 *
 * @throws StackError naming every port that is not one
 */
export function readSettings(env: Env): Settings {
  const wrong: string[] = [];
  const port = (key: string, fallback: number): number => {
    const text = env[key];
    // Kubernetes sets NAME_PORT=tcp://… for each Service of a namespace.
    if (text === undefined || text === '' || /^(?:tcp|udp|sctp):\/\//.test(text)) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > 65_535) wrong.push(`${key} must be a port from 1 to 65535 (it is "${text}")`);
    return value;
  };
  const kafkaProxied = port('KAFKA_PROXIED_PORT', 9094);
  const ports = {
    kafka: port('KAFKA_PORT', 9092),
    kafkaProxied,
    kafkaAdvertised: port('KAFKA_ADVERTISED_PORT', kafkaProxied),
    kafkaController: port('KAFKA_CONTROLLER_PORT', 9093),
    redis: port('REDIS_PORT', 6379),
    aws: port('AWS_EMULATOR_PORT', 4566),
    purchase: port('PURCHASE_PORT', 3001),
    sink: port('SINK_PORT', 3002),
    query: port('QUERY_PORT', 3003),
    queryWorker: port('QUERY_WORKER_PORT', 3004),
  };
  if (wrong.length > 0) throw new StackError(wrong.join('; '));
  const external = new Set<PartName>();
  const url = (part: PartName, key: string, own: string): string => {
    const given = env[key];
    if (given === undefined || given === '' || given === own) return own;
    external.add(part);
    return given;
  };
  return {
    home: resolve(root, env['MILLRACE_HOME'] ?? '.millrace'),
    cache: resolve(root, env['MILLRACE_CACHE'] ?? '.millrace/cache'),
    ports,
    kafkaBrokers: url('kafka', 'KAFKA_BROKERS', `127.0.0.1:${ports.kafka}`),
    redisUrl: url('redis', 'REDIS_URL', `redis://127.0.0.1:${ports.redis}`),
    awsUrl: url('aws', 'AWS_ENDPOINT_URL', `http://127.0.0.1:${ports.aws}`),
    bucket: env['LAKE_BUCKET'] ?? 'millrace-lake',
    database: env['LAKE_DATABASE'] ?? 'bookstore',
    external,
  };
}

/** The environment that services and tests of this stack get: what they were given, and where this stack's parts are. */
export function serviceEnv(settings: Settings, env: Env): Record<string, string> {
  const given = Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
  return {
    AWS_REGION: 'us-east-1',
    // The emulator asks for credentials and checks none.
    AWS_ACCESS_KEY_ID: 'millrace',
    AWS_SECRET_ACCESS_KEY: 'millrace',
    SINK_FLUSH_SECONDS: '5',
    ...given,
    MILLRACE_HOME: settings.home,
    KAFKA_BROKERS: settings.kafkaBrokers,
    REDIS_URL: settings.redisUrl,
    AWS_ENDPOINT_URL: settings.awsUrl,
    LAKE_BUCKET: settings.bucket,
    LAKE_DATABASE: settings.database,
    QUERY_DUCKDB_HTTPFS: given['QUERY_DUCKDB_HTTPFS'] ?? httpfsPath(settings),
  };
}

/** Python environment with the AWS emulator. */
export function venvPath(settings: Settings): string {
  return join(settings.cache, 'venv');
}

/** DuckDB's httpfs extension, linked to a stable name by the installer. */
export function httpfsPath(settings: Settings): string {
  return join(settings.cache, 'httpfs.duckdb_extension');
}

/** Kafka's jars. */
export function kafkaJarsPath(settings: Settings): string {
  return join(settings.cache, 'kafka');
}

import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StackError } from './errors.mjs';

/** @typedef {Readonly<Record<string, string | undefined>>} Env */

/** The repository's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** The folder of the sources of this tool and of the lists of its downloads. */
export const toolFolder = join(root, 'tools', 'stack');

/** The npm packages' Node. */
export const pinnedNode = join(root, 'node_modules', '.bin', 'node');

/** Names of the parts, in the order in which they start. */
export const partNames = /** @type {const} */ (['kafka', 'redis', 'aws']);

/** Names of the parts that start only where they are asked for. */
export const optionalPartNames = /** @type {const} */ (['trino', 'athena']);

/** Names of all parts. */
export const allPartNames = /** @type {const} */ ([...partNames, ...optionalPartNames]);

/** @typedef {(typeof allPartNames)[number]} PartName */

/** Names of the services, in the order in which they start. */
export const serviceNames = /** @type {const} */ (['purchase', 'sink', 'query-api', 'query-worker', 'projector']);

/** @typedef {(typeof serviceNames)[number]} ServiceName */

/** The settings that move the ports, with the defaults, by the part or service that listens there. */
export const portSettings = /** @type {const} */ ({
  kafka: { KAFKA_PORT: 9092, KAFKA_CONTROLLER_PORT: 9093, KAFKA_PROXIED_PORT: 9094 },
  redis: { REDIS_PORT: 6379 },
  aws: { AWS_EMULATOR_PORT: 4566 },
  trino: { TRINO_PORT: 8080 },
  athena: { ATHENA_PORT: 4567 },
  purchase: { PURCHASE_PORT: 3001 },
  sink: { SINK_PORT: 3002 },
  'query-api': { QUERY_PORT: 3003 },
  'query-worker': { QUERY_WORKER_PORT: 3004 },
  projector: { PROJECTOR_PORT: 3005 },
});

/** Distance between the ports of one broker and those of the next. */
export const brokerPortStep = 10;

/** Numbers of brokers that a stack may have. */
export const brokerNumbers = /** @type {const} */ ([1, 3]);

/** @typedef {(typeof brokerNumbers)[number]} BrokerNumber */

/**
 * Name of the process of a broker: the first has that of the part.
 *
 * @param {number} broker from 1
 */
export function brokerName(broker) {
  return broker === 1 ? 'kafka' : `kafka-${broker}`;
}

/** Names of all brokers that a stack may have. */
export const brokerNames = Array.from({ length: Math.max(...brokerNumbers) }, (_, n) => brokerName(n + 1));

/**
 * The brokers of a stack, as clients name them.
 *
 * @param {number} port of the first
 * @param {BrokerNumber} brokers
 */
export function brokerList(port, brokers) {
  return Array.from({ length: brokers }, (_, n) => `127.0.0.1:${port + n * brokerPortStep}`).join(',');
}

/** @typedef {'KAFKA_PORT' | 'KAFKA_CONTROLLER_PORT' | 'KAFKA_PROXIED_PORT' | 'REDIS_PORT' | 'AWS_EMULATOR_PORT' | 'TRINO_PORT' | 'ATHENA_PORT'} PartPortSetting */
/** @typedef {PartPortSetting | 'PURCHASE_PORT' | 'SINK_PORT' | 'QUERY_PORT' | 'QUERY_WORKER_PORT' | 'PROJECTOR_PORT'} PortSetting */

/**
 * All state of this stack.
 *
 * @param {Env} env
 */
export function homeOf(env) {
  return resolve(root, env['MILLRACE_HOME'] ?? '.millrace');
}

/**
 * Downloads; the stacks of a machine share them.
 *
 * @param {Env} env
 */
export function cacheOf(env) {
  return resolve(root, env['MILLRACE_CACHE'] ?? '.millrace/cache');
}

/**
 * The ports of this stack by the settings that move them.
 *
 * @param {Env} env
 * @returns {Record<PortSetting | 'KAFKA_ADVERTISED_PORT', number>} `KAFKA_ADVERTISED_PORT` moves nothing that listens
 * @throws StackError naming every setting that is not a port
 */
export function readPorts(env) {
  /** @type {string[]} */
  const faults = [];
  /** @type {(key: string, fallback: number) => number} */
  const read = (key, fallback) => {
    const text = env[key] ?? '';
    // Kubernetes sets NAME_PORT=tcp://… for each Service of a namespace.
    const port = text === '' || /^(?:tcp|udp|sctp):\/\//.test(text) ? fallback : Number(text);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) faults.push(`${key} must be a port from 1 to 65535 (it is "${text}")`);
    return port;
  };
  const defaults = Object.values(portSettings).flatMap((settings) => Object.entries(settings));
  const ports = /** @type {Record<PortSetting, number>} */ (
    Object.fromEntries(defaults.map(([key, fallback]) => [key, read(key, fallback)]))
  );
  const advertised = read('KAFKA_ADVERTISED_PORT', ports.KAFKA_PROXIED_PORT);
  if (faults.length > 0) throw new StackError(faults.join('; '));
  return { ...ports, KAFKA_ADVERTISED_PORT: advertised };
}

/**
 * The parts that the environment says are running elsewhere: `up` does not start them.
 *
 * @param {Env} env
 * @returns {ReadonlySet<PartName>}
 */
export function externalParts(env) {
  const ports = readPorts(env);
  /** @type {Record<PartName, string>} */
  const own = {
    kafka: brokerList(ports.KAFKA_PORT, 1),
    redis: `redis://127.0.0.1:${ports.REDIS_PORT}`,
    aws: `http://127.0.0.1:${ports.AWS_EMULATOR_PORT}`,
    trino: `http://127.0.0.1:${ports.TRINO_PORT}`,
    athena: `http://127.0.0.1:${ports.ATHENA_PORT}`,
  };
  /** @param {string} key */
  const given = (key) => (env[key] === '' ? undefined : env[key]);
  const external = {
    kafka: !brokerNumbers.some((brokers) => (given('KAFKA_BROKERS') ?? own.kafka) === brokerList(ports.KAFKA_PORT, brokers)),
    redis: (given('REDIS_URL') ?? own.redis) !== own.redis,
    aws: ['S3', 'GLUE', 'ATHENA'].every(
      (service) => (given(`AWS_ENDPOINT_URL_${service}`) ?? given('AWS_ENDPOINT_URL') ?? own.aws) !== own.aws,
    ),
    trino: (given('TRINO_URL') ?? own.trino) !== own.trino,
    athena: (given('AWS_ENDPOINT_URL_ATHENA') ?? own.athena) !== own.athena,
  };
  return new Set(allPartNames.filter((name) => external[name]));
}

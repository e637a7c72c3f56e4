import { isIP } from 'node:net';
import { fileProblems, tlsOf, type TlsOptions } from '@millrace/credentials';
import { Type } from 'typebox';
import type { RedisNode, RedisSentinels, RedisSettings } from './redis-connections.ts';

const files = { ca: 'REDIS_TLS_CA_FILE', cert: 'REDIS_TLS_CERT_FILE', key: 'REDIS_TLS_KEY_FILE' } as const;

/** Prefixes of the settings of Redis beside `REDIS_URL`. */
export const redisPrefixes = ['REDIS_TLS_', 'REDIS_SENTINEL', 'REDIS_CLUSTER_'] as const;

/** Pattern of `REDIS_URL`. */
export const redisUrlPattern = '^rediss?://[^\\s]+$';

/** Pattern of a list of addresses: `host:port`, an IPv6 address in brackets. */
const nodesPattern = String.raw`^(\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+):[0-9]{1,5}(,(\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+):[0-9]{1,5})*$`;

/** Settings of Redis beside `REDIS_URL`: TLS, sentinels and the nodes of a cluster. */
export const redisSettings = {
  REDIS_TLS_CA_FILE: Type.Optional(
    Type.String({ minLength: 1, description: "PEM file with the CA certificates of Redis. Without it, Node's own CAs are trusted" }),
  ),
  REDIS_TLS_CERT_FILE: Type.Optional(
    Type.String({ minLength: 1, description: 'PEM file with the client certificate for Redis and its chain' }),
  ),
  REDIS_TLS_KEY_FILE: Type.Optional(Type.String({ minLength: 1, description: 'PEM file with the private key of that certificate' })),
  REDIS_SENTINELS: Type.Optional(
    Type.String({
      pattern: nodesPattern,
      description: 'Sentinels, comma-separated as `host:port`. They name the master; the address in REDIS_URL is then not used',
    }),
  ),
  REDIS_SENTINEL_NAME: Type.Optional(
    Type.String({ minLength: 1, description: 'Name under which the sentinels watch the master, such as `mymaster`' }),
  ),
  REDIS_SENTINEL_USERNAME: Type.Optional(Type.String({ minLength: 1, description: 'User at the sentinels' })),
  REDIS_SENTINEL_PASSWORD: Type.Optional(
    Type.String({ minLength: 1, description: 'Password at the sentinels. That of the master is in REDIS_URL' }),
  ),
  REDIS_CLUSTER_NODES: Type.Optional(
    Type.String({
      pattern: nodesPattern,
      description: 'Some nodes of a Redis Cluster, comma-separated as `host:port`. The address in REDIS_URL is then ignored',
    }),
  ),
};

/** Settings of the connection to Redis, as read from the environment. */
export type RedisConfig = { readonly REDIS_URL?: string | undefined } & {
  readonly [name in keyof typeof redisSettings]?: string | undefined;
};

/** Lists the problems of the settings, one sentence each. */
export function redisProblems(config: RedisConfig): string[] {
  const { REDIS_URL: url, REDIS_SENTINELS: sentinels, REDIS_SENTINEL_NAME: name, REDIS_CLUSTER_NODES: nodes } = config;
  const isTls = url?.startsWith('rediss:') === true;
  const stray = (names: readonly (keyof RedisConfig)[], remedy: string): string[] =>
    names.filter((one) => config[one] !== undefined).map((one) => `${one} has no effect: ${remedy}`);
  return [
    ...(isTls ? [] : stray(Object.values(files), 'REDIS_URL must begin with rediss:// for TLS.')),
    ...(url === undefined ? stray(['REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'], 'set REDIS_URL, for login, database and TLS.') : []),
    ...(sentinels === undefined
      ? stray(['REDIS_SENTINEL_NAME', 'REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD'], 'set REDIS_SENTINELS.')
      : []),
    ...(sentinels !== undefined && name === undefined
      ? ['REDIS_SENTINELS needs REDIS_SENTINEL_NAME, the name under which they watch the master.']
      : []),
    ...(sentinels !== undefined && nodes !== undefined
      ? ['REDIS_SENTINELS and REDIS_CLUSTER_NODES exclude each other: a cluster has no sentinels.']
      : []),
    ...(nodes !== undefined && url !== undefined && !/^\/?0?$/.test(new URL(url).pathname)
      ? ['REDIS_URL names a database, and a Redis Cluster has only database 0: remove it.']
      : []),
    ...fileProblems<keyof RedisConfig>(config, files),
  ];
}

/**
 * The connection that the settings describe.
 *
 * @param url value of `REDIS_URL`
 * @param connectTimeoutMs time to open a connection, in milliseconds. Default 2000
 */
export function redisSettingsOf(url: string, config: RedisConfig, connectTimeoutMs?: number): RedisSettings {
  const { REDIS_CLUSTER_NODES: nodes } = config;
  return {
    url,
    tls: redisTls(url, config),
    connectTimeoutMs,
    sentinels: sentinelsOf(config),
    clusterNodes: nodes === undefined ? undefined : nodesOf(nodes),
  };
}

/**
 * The name that keys of one system contain, with the hash tag of a cluster around it. A script and a transaction take only keys of one
 * slot, and Redis computes the slot from the text in the braces.
 */
export function keyNameOf(name: string, { REDIS_CLUSTER_NODES: nodes }: RedisConfig): string {
  return nodes === undefined ? name : `{${name}}`;
}

function sentinelsOf(config: RedisConfig): RedisSentinels | undefined {
  const { REDIS_SENTINELS: sentinels, REDIS_SENTINEL_NAME: name = '' } = config;
  if (sentinels === undefined) return undefined;
  const { REDIS_SENTINEL_USERNAME: username, REDIS_SENTINEL_PASSWORD: password } = config;
  return { nodes: nodesOf(sentinels), name, username, password };
}

function nodesOf(list: string): RedisNode[] {
  return list.split(',').map((address) => {
    const end = address.lastIndexOf(':');
    return { host: address.slice(0, end).replaceAll(/[[\]]/g, ''), port: Number(address.slice(end + 1)) };
  });
}

function redisTls(url: string, config: RedisConfig): TlsOptions | undefined {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'rediss:') return undefined;
  const { REDIS_TLS_CA_FILE: ca, REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: key } = config;
  // Without it, the handshake would name no host. The handshake does not accept an IP address as a name.
  return tlsOf({ ca, cert, key, servername: isIP(hostname.replaceAll(/[[\]]/g, '')) === 0 ? hostname : undefined });
}

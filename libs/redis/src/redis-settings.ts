import { isIP } from 'node:net';
import { fileProblems, tlsOf, type TlsOptions } from '@millrace/credentials';
import { Type } from 'typebox';
import type { RedisSettings } from './redis-connections.ts';

const files = { ca: 'REDIS_TLS_CA_FILE', cert: 'REDIS_TLS_CERT_FILE', key: 'REDIS_TLS_KEY_FILE' } as const;

/** Prefix of the settings of TLS to Redis. */
export const redisPrefix = 'REDIS_TLS_';

/** Pattern of `REDIS_URL`. */
export const redisUrlPattern = '^rediss?://[^\\s]+$';

/** Settings of TLS to Redis. They belong to a `REDIS_URL` that begins with `rediss:`. */
export const redisTlsSettings = {
  REDIS_TLS_CA_FILE: Type.Optional(
    Type.String({ minLength: 1, description: "PEM file with the CA certificates of Redis. Without it, Node's own CAs are trusted" }),
  ),
  REDIS_TLS_CERT_FILE: Type.Optional(
    Type.String({ minLength: 1, description: 'PEM file with the client certificate for Redis and its chain' }),
  ),
  REDIS_TLS_KEY_FILE: Type.Optional(Type.String({ minLength: 1, description: 'PEM file with the private key of that certificate' })),
};

/** Settings of the connection to Redis, as read from the environment. */
export type RedisConfig = { readonly REDIS_URL?: string | undefined } & {
  readonly [name in (typeof files)[keyof typeof files]]?: string | undefined;
};

/** Lists the problems of the settings, one sentence each. */
export function redisProblems(config: RedisConfig): string[] {
  const isTls = config.REDIS_URL?.startsWith('rediss:') === true;
  const stray = Object.values(files).filter((name) => config[name] !== undefined && !isTls);
  return [
    ...stray.map((name) => `${name} has no effect: REDIS_URL must begin with rediss:// for TLS.`),
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
  return { url, tls: redisTls(url, config), connectTimeoutMs };
}

function redisTls(url: string, config: RedisConfig): TlsOptions | undefined {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'rediss:') return undefined;
  const { REDIS_TLS_CA_FILE: ca, REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: key } = config;
  // Without it, the handshake would name no host. Addresses are no names.
  return tlsOf({ ca, cert, key, servername: isIP(hostname.replaceAll(/[[\]]/g, '')) === 0 ? hostname : undefined });
}

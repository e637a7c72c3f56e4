import { isIP } from 'node:net';
import { secretOf, tlsOf, type Secret, type TlsFiles, type TlsOptions } from '@millrace/credentials';
import { clientCredentials } from './tokens/client-credentials.ts';
import { mskToken } from './tokens/msk-token.ts';
import { RenewedToken } from './tokens/renewed-token.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { mskRegionOf, usesTls } from './settings-rules.ts';

/** How a connection logs in. */
export type KafkaSasl =
  | { readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; readonly username: string; readonly password: Secret }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: () => Promise<string> };

/** How every client of a process reaches Kafka. Shared by all of them, so that they share a token, too. */
export interface KafkaAccess {
  /** Addresses of brokers, `host:port`. */
  readonly brokers: readonly string[];
  /** Undefined: no TLS. */
  readonly tls?: TlsOptions;
  /** Whether the handshake names the host (SNI). Node forbids it for addresses. */
  readonly sendsServerName: boolean;
  /** Undefined: no login. */
  readonly sasl?: KafkaSasl;
}

/** The access that settings without problems describe. */
export function kafkaAccessOf(settings: KafkaSettings): KafkaAccess {
  const { KAFKA_BROKERS: brokers } = settings;
  const sasl = saslOf(settings);
  return {
    brokers,
    ...(usesTls(settings) ? { tls: tlsOf(filesOf(settings)) } : {}),
    sendsServerName: brokers.every((broker) => isIP(broker.slice(0, broker.lastIndexOf(':'))) === 0),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

/** An access without TLS and login. */
export function plainAccess(brokers: readonly string[]): KafkaAccess {
  return { brokers, sendsServerName: false };
}

function filesOf(settings: KafkaSettings): TlsFiles {
  return {
    ca: settings.KAFKA_TLS_CA_FILE,
    cert: settings.KAFKA_TLS_CERT_FILE,
    key: settings.KAFKA_TLS_KEY_FILE,
    servername: settings.KAFKA_TLS_SERVER_NAME,
  };
}

function saslOf(settings: KafkaSettings): KafkaSasl | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism } = settings;
  switch (mechanism) {
    case undefined:
      return undefined;
    case 'AWS_MSK_IAM':
      return tokenLogin(new RenewedToken(mskToken(mskRegionOf(settings)!)));
    case 'OAUTHBEARER':
      return settings.KAFKA_OAUTH_TOKEN_FILE === undefined
        ? tokenLogin(
            new RenewedToken(
              clientCredentials({
                url: settings.KAFKA_OAUTH_TOKEN_URL!,
                clientId: settings.KAFKA_OAUTH_CLIENT_ID!,
                clientSecret: secretOf(settings.KAFKA_OAUTH_CLIENT_SECRET, settings.KAFKA_OAUTH_CLIENT_SECRET_FILE),
                scope: settings.KAFKA_OAUTH_SCOPE,
              }),
            ),
          )
        : tokenOfFile(settings.KAFKA_OAUTH_TOKEN_FILE);
    default:
      return {
        mechanism,
        username: settings.KAFKA_SASL_USERNAME!,
        password: secretOf(settings.KAFKA_SASL_PASSWORD, settings.KAFKA_SASL_PASSWORD_FILE),
      };
  }
}

function tokenLogin(token: RenewedToken): KafkaSasl {
  return { mechanism: 'OAUTHBEARER', token: async () => await token.get() };
}

function tokenOfFile(path: string): KafkaSasl {
  const read = secretOf(undefined, path);
  return { mechanism: 'OAUTHBEARER', token: async () => await Promise.resolve(read()) };
}

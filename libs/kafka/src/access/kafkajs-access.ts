import { CodedError } from '@millrace/resilience/coded-error';
import type { KafkaConfig, Mechanism } from 'kafkajs';
import type { KafkaAccess, KafkaSasl } from './kafka-access.ts';

/**
 * Time in milliseconds before the end of a session from which kafkajs logs in again, at its next request. A broker ends a connection whose
 * logins follow each other within a second. So the default of 10 s would break sessions of about 10 s.
 */
const reauthenticationThresholdMs = 2000;

/** The part of kafkajs's options that says how to reach Kafka. */
export function kafkajsAccess({
  brokers,
  tls,
  sasl,
}: KafkaAccess): Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl' | 'reauthenticationThreshold'> {
  return {
    brokers: [...brokers],
    // By default kafkajs names the host in the handshake, where it is a name.
    ...(tls === undefined ? {} : { ssl: tls }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl), reauthenticationThreshold: reauthenticationThresholdMs }),
  };
}

function saslOf(sasl: KafkaSasl): NonNullable<KafkaConfig['sasl']> {
  if (sasl.mechanism === 'OAUTHBEARER') return bearerOf(sasl.token);
  const { username, password } = sasl;
  const read = {
    username,
    // Read at each login.
    get password() {
      return password();
    },
  };
  switch (sasl.mechanism) {
    case 'PLAIN':
      return withMechanism('plain', read);
    case 'SCRAM-SHA-256':
      return withMechanism('scram-sha-256', read);
    case 'SCRAM-SHA-512':
      return withMechanism('scram-sha-512', read);
  }
}

function withMechanism<M extends string>(mechanism: M, login: { username: string; readonly password: string }) {
  return Object.defineProperty(login, 'mechanism', { enumerable: true, value: mechanism }) as typeof login & { mechanism: M };
}

/**
 * kafkajs's own OAUTHBEARER ignores a refusal. The broker sends its reason in a successful answer, and ends the exchange after one more
 * message (RFC 7628, section 3.2.2).
 */
function bearerOf(token: () => Promise<string>): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const message = Buffer.from(`n,,\u0001auth=Bearer ${await token()}\u0001\u0001`);
        const refusal = await saslAuthenticate({
          request: { encode: () => withLength(message) },
          response: { decode: (bytes) => bytes.subarray(4), parse: (bytes) => bytes.toString('utf8') },
        });
        if (typeof refusal === 'string' && refusal !== '') throw new BearerRefusedError(refusal);
      },
    }),
  };
}

/** Thrown when the broker refuses a token. */
class BearerRefusedError extends CodedError {
  readonly code = 'login-refused';
  readonly retryable = false;
  /** As Kafka names it. */
  readonly type = 'SASL_AUTHENTICATION_FAILED';
  /** Keeps kafkajs from trying again with the same token. */
  readonly retriable = false;

  constructor(refusal: string) {
    super(`SASL OAUTHBEARER authentication failed: ${refusal.slice(0, 200)}`);
  }
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}

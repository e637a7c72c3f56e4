import type { KafkaAccess, KafkaSasl } from '@millrace/kafka/access';
import { AuthenticationError, type Base, type BaseOptions } from '@platformatic/kafka';

type SaslOptions = NonNullable<BaseOptions['sasl']>;

/** The part of the options of @platformatic/kafka that says how to reach Kafka. It logs in again by itself after 80 % of a session. */
export function platformaticAccess({
  brokers,
  tls,
  sasl,
  sendsServerName,
}: KafkaAccess): Pick<BaseOptions, 'bootstrapBrokers' | 'tls' | 'tlsServerName' | 'sasl'> {
  return {
    bootstrapBrokers: [...brokers],
    // A name of the settings is in `tls` itself. By default the client names no host in the handshake.
    ...(tls === undefined ? {} : { tls, ...(tls.servername === undefined && sendsServerName ? { tlsServerName: true } : {}) }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
  };
}

function saslOf(sasl: KafkaSasl): SaslOptions {
  if (sasl.mechanism !== 'OAUTHBEARER') return { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password };
  return {
    mechanism: 'OAUTHBEARER',
    token: sasl.token,
    // The broker sends the reason of a refusal in a successful answer (RFC 7628, section 3.2.2).
    authBytesValidator(bytes, callback) {
      if (bytes.length === 0) callback(null, bytes);
      else callback(new AuthenticationError(`The broker refused the token: ${bytes.toString('utf8').slice(0, 200)}`));
    },
  };
}

/**
 * Watches the connections of a client. A broker refuses the certificate of a client after the handshake of TLS 1.3, and the client then
 * only reports a closed connection.
 *
 * @returns a function that takes the error which broke a connection since its last call
 */
export function watchConnections(client: Base): () => Error | undefined {
  let broken: Error | undefined;
  client.connections.on('connect', ({ connection }) => connection.on('error', (error) => (broken = error)));
  return () => {
    const last = broken;
    broken = undefined;
    return last;
  };
}

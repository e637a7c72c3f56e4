import { certificateProblemOf, type CertificateProblem } from '@millrace/credentials';
import { KafkaRefusedError, KafkaTokenError, type KafkaRefusalKind } from './errors.ts';

interface Meaning {
  readonly kind: KafkaRefusalKind;
  readonly fact: string;
  readonly remedy: string;
}

const login: Meaning = {
  kind: 'login',
  fact: 'Kafka refuses the login',
  remedy: 'check KAFKA_SASL_MECHANISM, and the user name with its password, or the token',
};
const mechanism: Meaning = {
  kind: 'mechanism',
  fact: 'Kafka does not offer the SASL mechanism on this listener',
  remedy: 'check KAFKA_SASL_MECHANISM, and the port in KAFKA_BROKERS',
};
const loginMissing: Meaning = {
  kind: 'login',
  fact: 'Kafka expects a login on this listener',
  remedy: 'set KAFKA_SASL_MECHANISM, or check the port in KAFKA_BROKERS',
};
const token: Meaning = {
  kind: 'token',
  fact: 'The token endpoint refuses to give a token for Kafka',
  remedy: 'check KAFKA_OAUTH_CLIENT_ID, the client secret and KAFKA_OAUTH_SCOPE',
};
const certificates: Readonly<Record<CertificateProblem, Meaning>> = {
  'unknown-ca': {
    kind: 'unknown-ca',
    fact: 'The certificate of the Kafka broker is not signed by a trusted CA',
    remedy: 'set KAFKA_TLS_CA_FILE to the CA of the brokers',
  },
  'expired-certificate': {
    kind: 'expired-certificate',
    fact: 'The certificate of the Kafka broker has expired, or is not valid yet',
    remedy: "renew the broker's certificate, and check the clock of this machine",
  },
  'server-name': {
    kind: 'server-name',
    fact: 'The certificate of the Kafka broker is for another name',
    remedy: 'use a name of the certificate in KAFKA_BROKERS, or set KAFKA_TLS_SERVER_NAME',
  },
  'client-certificate': {
    kind: 'client-certificate',
    fact: 'Kafka refuses the TLS handshake or the certificate of this client',
    remedy: 'check that KAFKA_TLS_CERT_FILE is valid, and that the brokers trust its CA',
  },
};
const missingAcl = (what: string, remedy: string): Meaning => ({
  kind: 'authorization',
  fact: `The ACLs of Kafka do not allow this service ${what}`,
  remedy,
});

/** By a code of Node, of a client, or by the type of an error of the protocol: https://kafka.apache.org/protocol#protocol_error_codes */
const meanings: ReadonlyMap<unknown, Meaning> = new Map<unknown, Meaning>([
  ['SASL_AUTHENTICATION_FAILED', login],
  ['KafkaJSSASLAuthenticationError', login],
  ['PLT_KFK_AUTHENTICATION', login],
  ['UNSUPPORTED_SASL_MECHANISM', mechanism],
  ['ILLEGAL_SASL_STATE', loginMissing],
  ['token-refused', token],
  ['TOPIC_AUTHORIZATION_FAILED', missingAcl('the topic', 'grant the ACLs of the topic')],
  ['GROUP_AUTHORIZATION_FAILED', missingAcl('the consumer group', 'grant READ on the group')],
  ['CLUSTER_AUTHORIZATION_FAILED', missingAcl('the cluster', 'grant the ACLs of the cluster')],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', missingAcl('the transactional id', 'grant WRITE on the transactional id')],
]);

// Maximum depth of the causes that are searched.
const depthMax = 8;

/**
 * Names an error of a Kafka client that a retry cannot fix: a refused login or certificate, or a missing ACL. Knows the errors of kafkajs
 * and of @platformatic/kafka by their codes.
 *
 * @returns undefined for every other error
 */
export function kafkaRefusalOf(error: unknown): KafkaRefusedError | undefined {
  const all = [...chainOf(error, 0)];
  const named = all.find((one) => one instanceof KafkaRefusedError);
  if (named !== undefined) return named;
  // The clients report a login without a token as refused, although an unavailable token endpoint recovers.
  if (all.some((one) => one instanceof KafkaTokenError && one.retryable)) return undefined;
  // The innermost error is the most precise: a client's "authentication failed" may hold the broker's "unsupported mechanism".
  for (const one of all.toReversed()) {
    const meaning = meaningOf(one);
    if (meaning === undefined) continue;
    const words = one.message.replace(/\.$/, '');
    // The clients' wrappers around it say less.
    return new KafkaRefusedError(meaning.kind, words === '' ? `${meaning.fact}.` : `${meaning.fact}: ${words}.`, meaning.remedy, {
      cause: one,
    });
  }
  return undefined;
}

/**
 * Runs a call to Kafka, and throws a {@link KafkaRefusedError} in place of an error that it names.
 *
 * @param brokenBy returns the error that broke a connection of the client, for a client that does not report it
 */
export async function nameRefusals<T>(call: () => Promise<T>, brokenBy: () => unknown = () => undefined): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw kafkaRefusalOf(error) ?? kafkaRefusalOf(brokenBy()) ?? error;
  }
}

function meaningOf(error: Error): Meaning | undefined {
  const { code, apiId, type, name } = error as { code?: unknown; apiId?: unknown; type?: unknown; name: string };
  for (const one of [apiId, type, code, name]) {
    const meaning = meanings.get(one);
    if (meaning !== undefined) return meaning;
  }
  const problem = certificateProblemOf(code);
  return problem === undefined ? undefined : certificates[problem];
}

function* chainOf(error: unknown, depth: number): Generator<Error> {
  if (!(error instanceof Error) || depth > depthMax) return;
  yield error;
  const { errors } = error as { errors?: unknown };
  for (const one of [error.cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])]) yield* chainOf(one, depth + 1);
}

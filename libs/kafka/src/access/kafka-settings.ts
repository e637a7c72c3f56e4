import { fileProblems } from '@millrace/credentials';
import { Type, type Static, type TObject } from 'typebox';
import { isLoopback, mskRegionOf, usesTls } from './settings-rules.ts';

const file = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description }));
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description }));

const brokerAddress = Type.String({ pattern: '^[^\\s:]+:[0-9]{1,5}$' });

/** The settings of every connection to Kafka, the same for each process. */
export const kafkaSettings = {
  KAFKA_BROKERS: Type.Array(brokerAddress, {
    default: ['127.0.0.1:9092'],
    minItems: 1,
    maxItems: 100,
    description: 'Kafka brokers as host:port',
  }),
  KAFKA_TLS: Type.Optional(
    Type.Boolean({
      description:
        'Whether connections to Kafka use TLS. Without it, they do if another KAFKA_TLS_ setting or the mechanism AWS_MSK_IAM is set',
    }),
  ),
  KAFKA_TLS_CA_FILE: file("PEM file with the CA certificates of the brokers. Without it, Node's own CAs are trusted"),
  KAFKA_TLS_CERT_FILE: file('PEM file with the client certificate and its chain'),
  KAFKA_TLS_KEY_FILE: file('PEM file with the private key of the client certificate'),
  KAFKA_TLS_SERVER_NAME: text("Name that the brokers' certificates must have. Without it, the host of each address"),
  KAFKA_SASL_MECHANISM: Type.Optional(
    Type.Union(
      [
        Type.Literal('PLAIN'),
        Type.Literal('SCRAM-SHA-256'),
        Type.Literal('SCRAM-SHA-512'),
        Type.Literal('OAUTHBEARER'),
        Type.Literal('AWS_MSK_IAM'),
      ],
      { description: 'SASL mechanism of the login. Without it, connections do not log in' },
    ),
  ),
  KAFKA_SASL_USERNAME: text('User name for PLAIN and SCRAM'),
  KAFKA_SASL_PASSWORD: text('Password for PLAIN and SCRAM'),
  KAFKA_SASL_PASSWORD_FILE: file('File with the password, read for each login'),
  KAFKA_OAUTH_TOKEN_URL: text('Token endpoint for OAUTHBEARER by client credentials. It must be https, or on loopback'),
  KAFKA_OAUTH_CLIENT_ID: text('Client id at the token endpoint'),
  KAFKA_OAUTH_CLIENT_SECRET: text('Client secret at the token endpoint'),
  KAFKA_OAUTH_CLIENT_SECRET_FILE: file('File with the client secret, read for each token'),
  KAFKA_OAUTH_SCOPE: text('Scope that the token endpoint is asked for'),
  KAFKA_OAUTH_TOKEN_FILE: file('File with a token that another program renews, read for each login; instead of a token endpoint'),
  KAFKA_MSK_REGION: text("AWS region for AWS_MSK_IAM. Without it, the region in the brokers' names"),
};

/** The same settings for a process that needs Kafka only for a part of its work. Without KAFKA_BROKERS it has no connection. */
export const optionalKafkaSettings = {
  ...kafkaSettings,
  KAFKA_BROKERS: Type.Optional(
    Type.Array(brokerAddress, {
      minItems: 1,
      maxItems: 100,
      description: 'Kafka brokers as host:port. Without it, the process has no connection to Kafka',
    }),
  ),
};

/** Settings of the connections to Kafka, named as in the environment. */
export type KafkaSettings = Static<TObject<typeof kafkaSettings>>;

/** Settings of the connections to Kafka of a process that may have none. */
export type OptionalKafkaSettings = Static<TObject<typeof optionalKafkaSettings>>;

/** The settings of a connection that a process has, or undefined without brokers. */
export function givenKafkaSettings<S extends OptionalKafkaSettings>(settings: S): (S & KafkaSettings) | undefined {
  const { KAFKA_BROKERS: brokers } = settings;
  return brokers === undefined ? undefined : { ...settings, KAFKA_BROKERS: brokers };
}

/** Prefixes of settings that belong to the connection to Kafka alone: a misspelt one would silently weaken it. */
export const kafkaPrefixes: readonly string[] = ['KAFKA_TLS', 'KAFKA_SASL_', 'KAFKA_OAUTH_', 'KAFKA_MSK_'];

type Name = keyof KafkaSettings;

const loginSettings: readonly Name[] = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE'];
const clientSettings: readonly Name[] = [
  'KAFKA_OAUTH_TOKEN_URL',
  'KAFKA_OAUTH_CLIENT_ID',
  'KAFKA_OAUTH_CLIENT_SECRET',
  'KAFKA_OAUTH_CLIENT_SECRET_FILE',
  'KAFKA_OAUTH_SCOPE',
];
const tlsSettings: readonly Name[] = ['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE', 'KAFKA_TLS_SERVER_NAME'];
const ownSettings: readonly (readonly [names: readonly Name[], mechanisms: readonly string[]])[] = [
  [loginSettings, ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']],
  [[...clientSettings, 'KAFKA_OAUTH_TOKEN_FILE'], ['OAUTHBEARER']],
  [['KAFKA_MSK_REGION'], ['AWS_MSK_IAM']],
];

/** Lists the contradictions between the settings, one sentence each. Reads the files that they name. */
export function kafkaProblems(settings: KafkaSettings): string[] {
  return [...tlsProblems(settings), ...strayProblems(settings), ...saslProblems(settings), ...fileProblems<Name>(settings, files)];
}

function tlsProblems(settings: KafkaSettings): string[] {
  const set = tlsSettings.filter((name) => settings[name] !== undefined);
  const problems: string[] = [];
  if (settings.KAFKA_TLS === false && set.length > 0) problems.push(`KAFKA_TLS is false, and ${set.join(', ')} needs TLS: remove one.`);
  if (settings.KAFKA_TLS === false && settings.KAFKA_SASL_MECHANISM === 'AWS_MSK_IAM')
    problems.push('KAFKA_TLS is false, and AWS_MSK_IAM needs TLS: remove KAFKA_TLS.');
  return problems;
}

function strayProblems(settings: KafkaSettings): string[] {
  const { KAFKA_SASL_MECHANISM: mechanism } = settings;
  return ownSettings
    .filter(([, mechanisms]) => mechanism === undefined || !mechanisms.includes(mechanism))
    .flatMap(([names, mechanisms]) =>
      names
        .filter((name) => settings[name] !== undefined)
        .map(
          (name) =>
            `${name} has no effect: set KAFKA_SASL_MECHANISM to ${mechanisms.join(' or ')}${mechanism === undefined ? '' : ` (it is ${mechanism})`}, or remove ${name}.`,
        ),
    );
}

function saslProblems(settings: KafkaSettings): string[] {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_TLS: tls } = settings;
  if (mechanism === undefined) return [];
  if (mechanism === 'AWS_MSK_IAM')
    return mskRegionOf(settings) === undefined ? ['KAFKA_MSK_REGION is missing: the names in KAFKA_BROKERS do not contain a region.'] : [];
  const inClear =
    (mechanism === 'PLAIN' || mechanism === 'OAUTHBEARER') && !usesTls(settings) && tls === undefined
      ? [`${mechanism} without TLS sends the secret in clear text: set KAFKA_TLS=true, or KAFKA_TLS=false to accept it.`]
      : [];
  return [...inClear, ...(mechanism === 'OAUTHBEARER' ? oauthProblems(settings) : passwordProblems(settings, mechanism))];
}

function passwordProblems(settings: KafkaSettings, mechanism: string): string[] {
  return [
    ...(settings.KAFKA_SASL_USERNAME === undefined ? [`KAFKA_SASL_USERNAME is missing: ${mechanism} needs it.`] : []),
    ...exactlyOne(settings, 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE', mechanism),
  ];
}

function oauthProblems(settings: KafkaSettings): string[] {
  if (settings.KAFKA_OAUTH_TOKEN_FILE !== undefined)
    return clientSettings
      .filter((name) => settings[name] !== undefined)
      .map((name) => `${name} has no effect beside KAFKA_OAUTH_TOKEN_FILE: remove one.`);
  const { KAFKA_OAUTH_TOKEN_URL: url } = settings;
  if (url === undefined) return ['KAFKA_OAUTH_TOKEN_URL or KAFKA_OAUTH_TOKEN_FILE is missing: OAUTHBEARER needs one of them.'];
  return [
    ...urlProblems(url),
    ...(settings.KAFKA_OAUTH_CLIENT_ID === undefined ? ['KAFKA_OAUTH_CLIENT_ID is missing: KAFKA_OAUTH_TOKEN_URL needs it.'] : []),
    ...exactlyOne(settings, 'KAFKA_OAUTH_CLIENT_SECRET', 'KAFKA_OAUTH_CLIENT_SECRET_FILE', 'KAFKA_OAUTH_TOKEN_URL'),
  ];
}

function urlProblems(url: string): string[] {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return ['KAFKA_OAUTH_TOKEN_URL must be a URL.'];
  const sound = parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopback(parsed.hostname));
  return sound ? [] : ['KAFKA_OAUTH_TOKEN_URL must be https, because the client secret goes there; http is allowed on loopback only.'];
}

function exactlyOne(settings: KafkaSettings, value: Name, path: Name, who: string): string[] {
  const count = [value, path].filter((name) => settings[name] !== undefined).length;
  if (count === 0) return [`${value} or ${path} is missing: ${who} needs one of them.`];
  return count === 2 ? [`${value} and ${path} are both set: remove one.`] : [];
}

const files = {
  ca: 'KAFKA_TLS_CA_FILE',
  cert: 'KAFKA_TLS_CERT_FILE',
  key: 'KAFKA_TLS_KEY_FILE',
  secrets: ['KAFKA_SASL_PASSWORD_FILE', 'KAFKA_OAUTH_CLIENT_SECRET_FILE', 'KAFKA_OAUTH_TOKEN_FILE'],
} as const;

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import kafkajs, { type AclEntry } from 'kafkajs';
import { freePort } from '../../processes/free-port.ts';
import { root } from '../../processes/root.ts';
import { waitUntil } from '../../wait-until.ts';
import { TestCa, type CertificateFiles } from './certificates.ts';
import { TokenIssuer } from './token-issuer.ts';

const run = promisify(execFile);
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** Settings of a client, named as in the environment. */
export type KafkaEnv = Readonly<Record<string, string>>;

/** One ACL: an operation on a topic or group, allowed to a principal. */
export interface AllowedOperation {
  readonly on: 'TOPIC' | 'GROUP';
  /** A name, or the start of names if it ends with `*`. */
  readonly name: string;
  readonly operation: keyof typeof AclOperationTypes;
}

type Ports = Readonly<Record<'direct' | 'controller' | 'scram' | 'mtls' | 'oauth' | 'expired', number>>;

/** Password of the SCRAM and PLAIN users, and secret of the OAuth clients. */
const secret = 'right-horse';

/** Time in milliseconds after which a connection that logged in must log in again. */
const reauthenticationMs = 10_000;

/**
 * One broker with a listener for each way to log in: SCRAM and PLAIN over TLS, client certificates, and OAUTHBEARER over TLS. An operation
 * is allowed only by an ACL. The plain listener is an administrator's.
 */
export class SecuredKafka {
  readonly issuer: TokenIssuer;
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #ca: TestCa;
  readonly #clients: ReadonlyMap<string, CertificateFiles>;
  readonly #process: ChildProcess;

  private constructor(parts: {
    issuer: TokenIssuer;
    folder: string;
    ports: Ports;
    ca: TestCa;
    clients: ReadonlyMap<string, CertificateFiles>;
    process: ChildProcess;
  }) {
    this.issuer = parts.issuer;
    this.#folder = parts.folder;
    this.#ports = parts.ports;
    this.#ca = parts.ca;
    this.#clients = parts.clients;
    this.#process = parts.process;
  }

  /** Starts the broker. Each of `users` can log in on every listener. */
  static async start(users: readonly string[]): Promise<SecuredKafka> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-secured-kafka-'));
    const ca = await TestCa.create(folder, 'ca');
    const broker = await ca.sign('broker');
    const expired = await ca.sign('expired', -1);
    const clients = new Map<string, CertificateFiles>();
    for (const user of users) clients.set(user, await ca.sign(user));
    const issuer = await TokenIssuer.start(new Map(users.map((user) => [user, secret])));
    const ports = {
      direct: await freePort(),
      controller: await freePort(),
      scram: await freePort(),
      mtls: await freePort(),
      oauth: await freePort(),
      expired: await freePort(),
    };
    const properties = join(folder, 'server.properties');
    const keyStores = { broker: join(folder, 'broker-store.pem'), expired: join(folder, 'expired-store.pem') };
    await writeFile(keyStores.broker, [broker.key, broker.cert].map((path) => readFileSync(path, 'utf8')).join(''));
    await writeFile(keyStores.expired, [expired.key, expired.cert].map((path) => readFileSync(path, 'utf8')).join(''));
    await mkdir(join(folder, 'data'));
    await writeFile(properties, propertiesOf({ folder, ports, users, keyStores, trust: ca.cert, jwksUrl: issuer.jwksUrl }));
    const logging = join(folder, 'log4j2.properties');
    await writeFile(logging, loggingText);
    const jars = join(process.env['MILLRACE_CACHE'] ?? join(root, '.millrace', 'cache'), 'kafka', '*');
    // A broker for a minute starts sooner without the optimising compiler.
    const java = [
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      '-Xms128m',
      '-Xmx384m',
      `-Dlog4j2.configurationFile=${logging}`,
      '-cp',
      jars,
    ];
    const scram = users.flatMap((user) => ['--add-scram', `SCRAM-SHA-512=[name=${user},password=${secret}]`]);
    await run('java', [...java, 'kafka.tools.StorageTool', 'format', '--standalone', '-t', clusterId, '-c', properties, ...scram]);
    const allowed = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${issuer.jwksUrl}`;
    const child = spawn('java', [allowed, ...java, 'kafka.Kafka', properties], { stdio: ['ignore', 'pipe', 'pipe'] });
    const kafka = new SecuredKafka({ issuer, folder, ports, ca, clients, process: child });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (log = `${log}${data.toString()}`.slice(-4000)));
    try {
      await kafka.asAdmin(async () => await Promise.resolve(), child);
    } catch (error) {
      await kafka.stop();
      throw new Error(`the secured Kafka did not start:\n${log}`, { cause: error });
    }
    return kafka;
  }

  /** The address of the administrator's listener, without TLS and login. */
  get direct(): string {
    return `127.0.0.1:${this.#ports.direct}`;
  }

  /** Settings of a client that logs in by SCRAM over TLS. */
  scram(user: string, password = secret): KafkaEnv {
    return {
      KAFKA_BROKERS: `localhost:${this.#ports.scram}`,
      KAFKA_TLS_CA_FILE: this.#ca.cert,
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: password,
    };
  }

  /** Settings of a client that logs in by PLAIN over TLS. */
  plain(user: string, password = secret): KafkaEnv {
    return { ...this.scram(user, password), KAFKA_SASL_MECHANISM: 'PLAIN' };
  }

  /** Settings of a client that logs in by its certificate. */
  mtls(user: string): KafkaEnv {
    const { cert, key } = this.#clients.get(user)!;
    return {
      KAFKA_BROKERS: `localhost:${this.#ports.mtls}`,
      KAFKA_TLS_CA_FILE: this.#ca.cert,
      KAFKA_TLS_CERT_FILE: cert,
      KAFKA_TLS_KEY_FILE: key,
    };
  }

  /** Settings of a client that logs in by tokens of the issuer. */
  oauth(user: string, clientSecret = secret): KafkaEnv {
    return {
      KAFKA_BROKERS: `localhost:${this.#ports.oauth}`,
      KAFKA_TLS_CA_FILE: this.#ca.cert,
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      KAFKA_OAUTH_TOKEN_URL: this.issuer.tokenUrl,
      KAFKA_OAUTH_CLIENT_ID: user,
      KAFKA_OAUTH_CLIENT_SECRET: clientSecret,
    };
  }

  /** Settings of a client for the listener whose certificate has expired. */
  expired(): KafkaEnv {
    return { KAFKA_BROKERS: `localhost:${this.#ports.expired}`, KAFKA_TLS_CA_FILE: this.#ca.cert };
  }

  /** A file with another CA than the brokers'. */
  async otherCa(): Promise<string> {
    return (await TestCa.create(this.#folder, 'other-ca')).cert;
  }

  /** A client certificate that has expired. */
  async expiredClient(): Promise<CertificateFiles> {
    return await this.#ca.sign('expired-client', -1);
  }

  /** Creates ACLs. Nothing else is allowed to the user. */
  async allow(user: string, allowed: readonly AllowedOperation[]): Promise<void> {
    const acl = allowed.map(({ on, name, operation }): AclEntry => ({
      resourceType: AclResourceTypes[on],
      resourceName: name.replace(/\*$/, ''),
      resourcePatternType: name.endsWith('*') ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: '*',
      operation: AclOperationTypes[operation],
      permissionType: AclPermissionTypes.ALLOW,
    }));
    await this.asAdmin(async (admin) => await admin.createAcls({ acl }));
  }

  /** Runs with the client of an administrator. */
  async asAdmin<T>(use: (admin: kafkajs.Admin) => Promise<T>, starting?: ChildProcess): Promise<T> {
    const kafka = new kafkajs.Kafka({ brokers: [this.direct], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 1 } });
    const admin = kafka.admin();
    await waitUntil(
      'the secured Kafka to answer',
      async () => {
        if (starting?.exitCode != null) throw new Error('Kafka ended');
        return await admin.connect().then(
          () => true,
          () => undefined,
        );
      },
      { timeoutMs: 100_000 },
    );
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    await this.issuer.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const clusterId = 'bWlsbHJhY2Utc2VjdXJlZA';

interface BrokerParts {
  readonly folder: string;
  readonly ports: Ports;
  readonly users: readonly string[];
  readonly keyStores: Readonly<Record<'broker' | 'expired', string>>;
  readonly trust: string;
  readonly jwksUrl: string;
}

function propertiesOf({ folder, ports, users, keyStores, trust, jwksUrl }: BrokerParts): string {
  const secured = ['scram', 'mtls', 'oauth', 'expired'] as const;
  const addresses = [`DIRECT://127.0.0.1:${ports.direct}`, ...secured.map((name) => `${name.toUpperCase()}://localhost:${ports[name]}`)];
  const module = 'org.apache.kafka.common.security';
  const lines: Readonly<Record<string, string>> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${ports.controller}`,
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${ports.controller}`].join(','),
    'advertised.listeners': addresses.join(','),
    'listener.security.protocol.map': 'DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,MTLS:SSL,OAUTH:SASL_SSL,EXPIRED:SSL',
    'inter.broker.listener.name': 'DIRECT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // The plain listener is the administrator's.
    'super.users': 'User:ANONYMOUS',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStores.broker,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': trust,
    'listener.name.expired.ssl.keystore.type': 'PEM',
    'listener.name.expired.ssl.keystore.location': keyStores.expired,
    'listener.name.mtls.ssl.client.auth': 'required',
    'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/',
    'connections.max.reauth.ms': String(reauthenticationMs),
    'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-512,PLAIN',
    'listener.name.scram.scram-sha-512.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
    'listener.name.scram.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required ${users.map((user) => `user_${user}="${secret}"`).join(' ')};`,
    'listener.name.oauth.sasl.enabled.mechanisms': 'OAUTHBEARER',
    'listener.name.oauth.oauthbearer.sasl.jaas.config': `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="unused";`,
    'listener.name.oauth.oauthbearer.sasl.server.callback.handler.class': `${module}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    'sasl.oauthbearer.jwks.endpoint.url': jwksUrl,
  };
  return `${Object.entries(lines)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}

const loggingText = `status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
`;

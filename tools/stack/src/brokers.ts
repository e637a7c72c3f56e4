import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.mjs';
import { installKafka } from './install.ts';
import type { InstallContext } from './install-once.ts';
import { brokerName, brokerNames, brokerPortStep, type Env } from './places.mjs';
import type { Planned } from './process-table.ts';
import { run } from './run-command.mjs';
import { kafkaJarsPath, type Settings } from './settings.ts';

/**
 * How each broker of the stack starts. Fetches Kafka first, and formats the storage of new brokers.
 *
 * @throws StackError when the home has another number of brokers
 */
export async function planBrokers(context: InstallContext, env: Env): Promise<Planned[]> {
  const { settings } = context;
  const brokers = Array.from({ length: settings.brokers }, (_, n) => n + 1);
  refuseOtherNumber(settings);
  await installKafka(context);
  const plans = brokers.map((broker) => ({ broker, ...planBroker(broker, settings, env) }));
  const fresh = plans.filter(({ folder }) => !existsSync(join(folder, 'data', 'meta.properties')));
  // All brokers of one cluster have one id, also those whose formatting was interrupted.
  if (fresh.length > 0) {
    const known = plans.map(({ folder }) => clusterIdIn(folder)).find((id) => id !== undefined);
    const clusterId = known ?? (await storageTool(context, plans[0]!.java, 'random-uuid')).trim().split('\n').at(-1)!;
    for (const { java, properties } of fresh) {
      const quorum = brokers.length === 1 ? ['--standalone'] : [];
      await storageTool(context, java, 'format', ...quorum, '-t', clusterId, '-c', properties);
    }
  }
  return plans.map(({ planned }) => planned);
}

function refuseOtherNumber({ home, brokers }: Settings): void {
  const found = brokerNames.filter((name) => existsSync(join(home, name, 'data', 'meta.properties'))).length;
  if (found === 0 || (found <= brokers && brokers > 1 === existsSync(join(home, brokerName(2))))) return;
  throw new StackError(
    `Kafka in ${home} has ${found} broker${found === 1 ? '' : 's'}, not ${brokers}. Use another MILLRACE_HOME, or delete its data.`,
  );
}

interface BrokerPlan {
  readonly folder: string;
  readonly properties: string;
  readonly java: readonly string[];
  readonly planned: Planned;
}

function planBroker(broker: number, settings: Settings, env: Env): BrokerPlan {
  const name = brokerName(broker);
  const ports = portsOf(broker, settings);
  const folder = join(settings.home, name);
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  writeFileSync(properties, linesOf(propertiesOf(broker, settings, folder)));
  const logging = join(folder, 'log4j2.properties');
  writeFileSync(logging, loggingLines);
  const java = ['-Xms256m', '-Xmx512m', `-Dlog4j2.configurationFile=${logging}`, '-cp', join(kafkaJarsPath(settings), '*')];
  return {
    folder,
    properties,
    java,
    planned: {
      plan: {
        name,
        kind: 'part',
        command: 'java',
        args: [...java, 'kafka.Kafka', properties],
        env,
        cwd: folder,
        url: `127.0.0.1:${ports.direct}`,
        health: `kafka://127.0.0.1:${ports.direct}`,
      },
      ports: [
        { port: ports.direct, setting: 'KAFKA_PORT' },
        { port: ports.controller, setting: 'KAFKA_CONTROLLER_PORT' },
        ...(broker === 1 ? [{ port: settings.ports.kafkaProxied, setting: 'KAFKA_PROXIED_PORT' }] : []),
      ],
    },
  };
}

function portsOf(broker: number, { ports }: Settings): { readonly direct: number; readonly controller: number } {
  const step = (broker - 1) * brokerPortStep;
  return { direct: ports.kafka + step, controller: ports.kafkaController + step };
}

function propertiesOf(broker: number, settings: Settings, folder: string): Readonly<Record<string, string>> {
  const { brokers, ports } = settings;
  const { direct, controller } = portsOf(broker, settings);
  const voters = Array.from({ length: brokers }, (_, n) => `${n + 1}@127.0.0.1:${portsOf(n + 1, settings).controller}`);
  const [replicas, inSync] = brokers === 1 ? ['1', '1'] : ['3', '2'];
  // The second listener of the first broker sends its clients to a fault proxy. Without one that port is the listener's own.
  const proxied =
    broker === 1
      ? { listener: `,PROXIED://127.0.0.1:${ports.kafkaProxied}`, advertised: `,PROXIED://127.0.0.1:${ports.kafkaAdvertised}` }
      : undefined;
  return {
    'process.roles': 'broker,controller',
    'node.id': String(broker),
    ...(brokers === 1
      ? { 'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}` }
      : { 'controller.quorum.voters': voters.join(',') }),
    listeners: `DIRECT://127.0.0.1:${direct}${proxied?.listener ?? ''},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `DIRECT://127.0.0.1:${direct}${proxied?.advertised ?? ''}`,
    'listener.security.protocol.map': 'DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'DIRECT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '8',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
  };
}

function linesOf(properties: Readonly<Record<string, string>>): string {
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}

const loggingLines = [
  'status=error',
  'appender.out.type=Console',
  'appender.out.name=out',
  'appender.out.layout.type=PatternLayout',
  'appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n',
  'rootLogger.level=warn',
  'rootLogger.appenderRef.out.ref=out',
  '',
].join('\n');

function clusterIdIn(folder: string): string | undefined {
  const meta = join(folder, 'data', 'meta.properties');
  return existsSync(meta) ? /^cluster\.id=(.*)$/m.exec(readFileSync(meta, 'utf8'))?.[1]?.trim() : undefined;
}

async function storageTool({ signal, hard }: InstallContext, java: readonly string[], ...args: readonly string[]): Promise<string> {
  const { code, output } = await run('java', [...java, 'kafka.tools.StorageTool', ...args], { signal, hard });
  if (code !== 0) throw new StackError(`Kafka could not format its storage:\n${output.trim()}`);
  return output;
}

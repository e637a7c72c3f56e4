import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFlags } from '@millrace/contracts';
import { StackError } from './errors.mjs';
import { installAws, installKafka, installRedis } from './install.ts';
import type { InstallContext } from './install-once.ts';
import { pinnedNode, root, type Env, type PartName, type ServiceName } from './places.mjs';
import type { Planned } from './process-table.ts';
import { run } from './run-command.mjs';
import { planTrino } from './trino/plan-trino.ts';
import { kafkaJarsPath, serviceEnv, venvPath, type Settings } from './settings.ts';

/** How a part starts. It fetches missing parts first. */
export async function planPart(name: PartName, context: InstallContext, env: Env): Promise<Planned> {
  switch (name) {
    case 'kafka':
      return await planKafka(context, env);
    case 'redis':
      return await planRedis(context, env);
    case 'aws':
      return await planAws(context, env);
    case 'trino':
      return await planTrino(context, env);
    case 'athena':
      return planAthena(context.settings, env);
  }
}

async function planKafka(context: InstallContext, env: Env): Promise<Planned> {
  await installKafka(context);
  const { settings } = context;
  const { ports } = settings;
  const folder = join(settings.home, 'kafka');
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${ports.kafkaController}`,
    listeners: `DIRECT://127.0.0.1:${ports.kafka},PROXIED://127.0.0.1:${ports.kafkaProxied},CONTROLLER://127.0.0.1:${ports.kafkaController}`,
    // The second listener sends its clients to a fault proxy. Without one that port is the listener's own.
    'advertised.listeners': `DIRECT://127.0.0.1:${ports.kafka},PROXIED://127.0.0.1:${ports.kafkaAdvertised}`,
    'listener.security.protocol.map': 'DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'DIRECT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '8',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
  };
  writeFileSync(
    properties,
    `${Object.entries(lines)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n')}\n`,
  );
  const logging = join(folder, 'log4j2.properties');
  writeFileSync(
    logging,
    [
      'status=error',
      'appender.out.type=Console',
      'appender.out.name=out',
      'appender.out.layout.type=PatternLayout',
      'appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n',
      'rootLogger.level=warn',
      'rootLogger.appenderRef.out.ref=out',
      '',
    ].join('\n'),
  );
  const java = ['-Xms256m', '-Xmx512m', `-Dlog4j2.configurationFile=${logging}`, '-cp', join(kafkaJarsPath(settings), '*')];
  if (!existsSync(join(folder, 'data', 'meta.properties'))) {
    await formatStorage(context, java, properties);
  }
  return {
    plan: {
      name: 'kafka',
      kind: 'part',
      command: 'java',
      args: [...java, 'kafka.Kafka', properties],
      env,
      cwd: folder,
      url: `127.0.0.1:${ports.kafka}`,
      health: `kafka://127.0.0.1:${ports.kafka}`,
    },
    ports: [
      { port: ports.kafka, setting: 'KAFKA_PORT' },
      { port: ports.kafkaProxied, setting: 'KAFKA_PROXIED_PORT' },
      { port: ports.kafkaController, setting: 'KAFKA_CONTROLLER_PORT' },
    ],
  };
}

async function formatStorage({ signal, hard }: InstallContext, java: readonly string[], properties: string): Promise<void> {
  const tool = async (...args: readonly string[]): Promise<string> => {
    const { code, output } = await run('java', [...java, 'kafka.tools.StorageTool', ...args], { signal, hard });
    if (code !== 0) throw new StackError(`Kafka could not format its storage:\n${output.trim()}`);
    return output;
  };
  const clusterId = (await tool('random-uuid')).trim().split('\n').at(-1)!;
  await tool('format', '--standalone', '-t', clusterId, '-c', properties);
}

async function planRedis(context: InstallContext, env: Env): Promise<Planned> {
  const binary = await installRedis(context);
  const { settings } = context;
  const folder = join(settings.home, 'redis');
  mkdirSync(folder, { recursive: true });
  const port = settings.ports.redis;
  // A queue must never be evicted, and survives a kill.
  const options = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
  };
  return {
    plan: {
      name: 'redis',
      kind: 'part',
      command: binary,
      args: Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]),
      env,
      cwd: folder,
      url: `redis://127.0.0.1:${port}`,
      health: `redis://127.0.0.1:${port}`,
    },
    ports: [{ port, setting: 'REDIS_PORT' }],
  };
}

async function planAws(context: InstallContext, env: Env): Promise<Planned> {
  await installAws(context);
  const { settings } = context;
  const folder = join(settings.home, 'aws');
  for (const name of ['s3', 'state', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  const port = settings.ports.aws;
  // It accepts any credentials, except in pre-signed links: these need the keys of the services that sign them.
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = serviceEnv(settings, env);
  const keys = AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined ? {} : { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  return {
    plan: {
      name: 'aws',
      kind: 'part',
      command: join(venvPath(settings), 'bin', 'ministack'),
      args: [],
      env: {
        ...env,
        ...keys,
        GATEWAY_PORT: String(port),
        BIND_HOST: '127.0.0.1',
        // Otherwise it listens on every address, port 8883.
        IOT_MTLS_ENABLED: '0',
        S3_PERSIST: '1',
        S3_DATA_DIR: join(folder, 's3'),
        PERSIST_STATE: '1',
        STATE_DIR: join(folder, 'state'),
        TMPDIR: join(folder, 'tmp'),
        // Its Athena writes timestamps in the machine's zone otherwise.
        TZ: 'UTC',
      },
      cwd: folder,
      url: `http://127.0.0.1:${port}`,
      health: `http://127.0.0.1:${port}/`,
    },
    ports: [{ port, setting: 'AWS_EMULATOR_PORT' }],
  };
}

/** The local Athena. The AWS emulator has an Athena of another dialect, without tokens and without cancellation. */
function planAthena({ ports, trinoUrl }: Settings, env: Env): Planned {
  const url = `http://127.0.0.1:${ports.athena}`;
  return {
    plan: {
      name: 'athena',
      kind: 'part',
      command: pinnedNode,
      args: [join(root, 'libs/testing/dist/athena/serve-local-athena.js')],
      env: { ...env, TRINO_URL: trinoUrl, ATHENA_PORT: String(ports.athena) },
      cwd: root,
      url,
      health: url,
    },
    ports: [{ port: ports.athena, setting: 'ATHENA_PORT' }],
  };
}

/** How a service starts. `alias` gives it another name, for a second one beside the first. */
export function planService(name: ServiceName, settings: Settings, env: Env, alias: string = name): Planned {
  const { ports } = settings;
  const entry: Readonly<Record<ServiceName, readonly [path: string, port: number, setting: string]>> = {
    purchase: ['apps/purchase/dist/main.js', ports.purchase, 'PURCHASE_PORT'],
    sink: ['apps/sink/dist/main.js', ports.sink, 'SINK_PORT'],
    'query-api': ['apps/query-api/dist/main.js', ports.query, 'QUERY_PORT'],
    'query-worker': ['apps/query-api/dist/worker.js', ports.queryWorker, 'QUERY_WORKER_PORT'],
    projector: ['apps/sink/dist/projector.js', ports.projector, 'PROJECTOR_PORT'],
  };
  const [path, port, setting] = entry[name];
  const url = `http://127.0.0.1:${port}`;
  return {
    plan: {
      name: alias,
      kind: 'service',
      command: pinnedNode,
      args: [...nodeFlags, join(root, path)],
      env: {
        ...(name === 'purchase' ? outboxEnv(settings, alias) : {}),
        ...(name === 'query-api' ? flowEnv(settings) : {}),
        ...serviceEnv(settings, env),
      },
      cwd: root,
      url,
      health: `${url}/health/ready`,
    },
    ports: [{ port, setting }],
  };
}

/** The purchase API keeps purchases on disk while Kafka is down. Each instance has its own directory. */
function outboxEnv({ home }: Settings, alias: string): Record<string, string> {
  return { PURCHASE_OUTBOX_DIR: join(home, 'outbox', alias) };
}

/** The console shows every service of the stack. */
function flowEnv({ ports }: Settings): Record<string, string> {
  const services = {
    purchase: ports.purchase,
    sink: ports.sink,
    projector: ports.projector,
    'query-api': ports.query,
    'query-worker': ports.queryWorker,
  } satisfies Record<ServiceName, number>;
  return {
    QUERY_FLOW_PROCESSES: Object.entries(services)
      .map(([name, port]) => `${name}=http://127.0.0.1:${port}`)
      .join(),
  };
}

/** Whether the services and the console have been built. */
export function isBuilt(): boolean {
  return readdirSync(join(root, 'apps')).every((app) =>
    ['main.js', 'site/index.html'].some((file) => existsSync(join(root, 'apps', app, 'dist', file))),
  );
}

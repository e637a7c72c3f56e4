import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFlags } from '@millrace/contracts';
import { planBrokers } from './brokers.ts';
import { installAws, installRedis } from './install.ts';
import type { InstallContext } from './install-once.ts';
import { pinnedNode, root, type Env, type PartName, type ServiceName } from './places.mjs';
import type { Planned } from './process-table.ts';
import { planTrino } from './trino/plan-trino.ts';
import { serviceEnv, venvPath, type Settings } from './settings.ts';

/** How the processes of a part start: several where Kafka has several brokers. It fetches missing parts first. */
export async function planPart(name: PartName, context: InstallContext, env: Env): Promise<readonly Planned[]> {
  switch (name) {
    case 'kafka':
      return await planBrokers(context, env);
    case 'redis':
      return [await planRedis(context, env)];
    case 'aws':
      return [await planAws(context, env)];
    case 'trino':
      return [await planTrino(context, env)];
    case 'athena':
      return [planAthena(context.settings, env)];
  }
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

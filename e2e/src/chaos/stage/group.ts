import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FaultProxy, freePort, spawnService, type ServiceProcess, type SpawnedServiceName } from '@millrace/testing';
import { OpenLoad } from '../../load/generator/open-load.ts';
import { RequestSender } from '../../load/generator/request-sender.ts';
import { SentEvents } from '../../load/generator/sent-events.ts';
import { LakeCount } from '../../load/measure/lake-count.ts';
import { shortSettings } from '../../matrix/short-settings.ts';
import { setUpLake } from '../../set-up-lake.ts';
import { stack } from '../../stack.ts';
import { createTopic, deleteTopic } from '../../topic.ts';
import type { AttackScene, PartName, PoweredFolder, ServiceName } from '../attacks/attack.ts';
import { chaosProfile } from '../attacks/chaos-profile.ts';
import { builtFile } from '../built-file.ts';
import type { Experiment } from '../experiment/experiment-schema.ts';
import type { Keeper } from './keeper.ts';
import { makeSmallDisk, type SmallDisk } from './small-disk.ts';
import { TlsFront } from './tls-front.ts';

/** Name of a group. */
export type GroupName = 'control' | 'experiment';

/** The part of an experiment that decides how a group is started. */
export type GroupPlan = Pick<Experiment, 'services' | 'method' | 'settings'>;

/** The load of a group in one experiment. */
export interface GroupLoad {
  readonly group: Group;
  readonly events: SentEvents;
  readonly lake: LakeCount;
  readonly sender: RequestSender;
  readonly load: OpenLoad;
}

/** Services behind their own proxies, topic and table. */
export class Group implements AttackScene {
  readonly name: GroupName;
  readonly home: string;
  readonly proxies: AttackScene['proxies'];
  readonly certificates: TlsFront | undefined;
  readonly #parts: GroupParts;
  readonly #keeper: Keeper;
  readonly #processes = new Map<SpawnedServiceName, ServiceProcess>();

  private constructor(name: GroupName, parts: GroupParts, keeper: Keeper) {
    this.name = name;
    this.home = parts.home;
    this.proxies = parts.proxies;
    this.certificates = parts.front;
    this.#parts = parts;
    this.#keeper = keeper;
  }

  /** Starts the services of a group. Only the experimental group reaches Kafka through a proxy, because Kafka has one proxied listener. */
  static async start(name: GroupName, experiment: GroupPlan, keeper: Keeper): Promise<Group> {
    const group = new Group(name, await makeParts(name, experiment, keeper), keeper);
    try {
      await Promise.all(experiment.services.map(async (service) => await group.start(service)));
    } catch (error) {
      await group.close();
      throw error;
    }
    return group;
  }

  /** Prepares the load of an experiment. */
  async prepareLoad(): Promise<GroupLoad> {
    const { bucket, ports } = this.#parts;
    const lake = await LakeCount.open({ endpoint: stack.awsUrl, bucket, table: stack.table });
    // The runs of the two groups differ, so that no event of one is taken for one of the other.
    const events = new SentEvents((Date.now() & 0x7fffffff) + (this.name === 'control' ? 0 : 0x80000000));
    const [purchaseUrl, queryUrl] = [`http://127.0.0.1:${ports.purchase}`, `http://127.0.0.1:${ports['query-api']}`];
    const sender = new RequestSender({ purchaseUrl, queryUrl }, events);
    return { group: this, events, lake, sender, load: new OpenLoad(sender) };
  }

  get distortionFile(): string {
    return join(this.home, 'distortion.json');
  }

  get distortionLog(): string {
    return join(this.home, 'distortion.log');
  }

  /** URLs of the processes by name. */
  get urls(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#processes].map(([name, { url }]) => [name, url]));
  }

  processesOf(service: ServiceName): readonly ServiceProcess[] {
    return processNames[service].flatMap((name) => this.#processes.get(name) ?? []);
  }

  diskOf(service: ServiceName): string | undefined {
    const [owner] = this.processesOf(service);
    const disk = this.#parts.disks[service];
    return owner === undefined || disk === undefined ? undefined : `/proc/${owner.pid}/root${disk.folder}`;
  }

  poweredFolderOf(service: ServiceName): PoweredFolder | undefined {
    return service === 'purchase' ? this.#parts.powered : undefined;
  }

  /** Starts the processes of a service that do not run. */
  async start(service: ServiceName): Promise<void> {
    await Promise.all(
      processNames[service].map(async (name) => {
        const running = this.#processes.get(name);
        if (running !== undefined && running.exit === undefined) return;
        const { env, ports, disks } = this.#parts;
        const wrapper = disks[service]?.wrapper ?? [];
        const onSpawn = (spawned: ServiceProcess): void => {
          this.#processes.set(name, spawned);
          this.#keeper.keepProcess(spawned.pid);
        };
        await spawnService(name, { ...env, [portKeys[name]]: String(ports[name]) }, { wrapper, onSpawn });
      }),
    );
  }

  /** Whether every process runs. */
  get isRunning(): boolean {
    return [...this.#processes.values()].every(({ exit }) => exit === undefined);
  }

  /** Stops the services, and removes topic and directories. */
  async close(): Promise<void> {
    for (const proxy of Object.values(this.proxies)) await proxy.clear();
    await Promise.all([...this.#processes.values()].map(async (one) => await one.kill('SIGKILL')));
    for (const proxy of Object.values(this.proxies)) await proxy.close();
    this.certificates?.close();
    await deleteTopic(this.#parts.topic);
  }
}

interface GroupParts {
  readonly home: string;
  readonly bucket: string;
  readonly topic: string;
  readonly proxies: Readonly<Record<PartName, FaultProxy>>;
  readonly front: TlsFront | undefined;
  readonly powered: PoweredFolder | undefined;
  readonly disks: Readonly<Partial<Record<ServiceName, SmallDisk>>>;
  readonly env: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<keyof typeof portKeys, number>>;
}

const processNames: Readonly<Record<ServiceName, readonly (keyof typeof portKeys)[]>> = {
  purchase: ['purchase'],
  sink: ['sink'],
  query: ['query-api', 'query-worker'],
};
const portKeys = { purchase: 'PURCHASE_PORT', sink: 'SINK_PORT', 'query-api': 'QUERY_PORT', 'query-worker': 'QUERY_WORKER_PORT' } as const;
const storeName = 'store.millrace.test';

async function makeParts(name: GroupName, { method, settings = {} }: GroupPlan, keeper: Keeper): Promise<GroupParts> {
  const id = `${name}-${randomUUID().slice(0, 8)}`;
  const home = join(stack.home, 'chaos', id);
  mkdirSync(home, { recursive: true });
  keeper.keepFolder(home);
  const topic = await createTopic(`chaos-${name}`);
  const [bucket, database] = [`chaos-${id}`, `chaos_${id.replaceAll('-', '_')}`];
  await setUpLake({ LAKE_BUCKET: bucket, LAKE_DATABASE: database });
  const proxies = {
    kafka: await FaultProxy.start(
      name === 'experiment'
        ? { protocol: 'kafka', target: stack.kafkaProxiedBrokers, port: stack.kafkaAdvertisedPort }
        : { protocol: 'kafka', target: stack.kafkaBrokers },
    ),
    redis: await FaultProxy.start({ protocol: 'tcp', target: stack.redisUrl }),
    s3: await FaultProxy.start({ protocol: 'http', target: stack.awsUrl }),
    glue: await FaultProxy.start({ protocol: 'http', target: stack.awsUrl }),
  };
  const attacks = method.map(({ attack }) => attack);
  const storeHost = attacks.includes('dns') ? storeName : '127.0.0.1';
  const front = attacks.includes('expired-certificate') ? await TlsFront.start(home, proxies.s3.port, storeHost) : undefined;
  const distorted = attacks.includes('dns') || attacks.includes('clock');
  const full = method.flatMap(({ attack, target }) => (attack === 'disk-full' ? [target as ServiceName] : []));
  const disks: Partial<Record<ServiceName, SmallDisk>> = {};
  for (const service of full) {
    const disk = await makeSmallDisk(join(home, `disk-of-${service}`));
    if (disk !== undefined) disks[service] = disk;
  }
  const outbox = join(disks.purchase?.folder ?? home, 'outbox');
  const powered = attacks.includes('power-cut') ? { folder: outbox, copies: join(home, 'synced-outbox') } : undefined;
  const ports = {
    purchase: await freePort(),
    sink: await freePort(),
    'query-api': await freePort(),
    'query-worker': await freePort(),
  };
  const processes = Object.entries(ports).map(([process, port]) => `${process}=http://127.0.0.1:${port}`);
  const env = {
    // Both groups serve their clients without the outbox of the other.
    PURCHASE_OUTBOX_DIR: outbox,
    SINK_SPOOL_DIR: join(disks.sink?.folder ?? home, 'spool'),
    ...shortSettings('PURCHASE'),
    ...shortSettings('SINK'),
    ...shortSettings('QUERY'),
    ...chaosProfile,
    KAFKA_BROKERS: name === 'experiment' ? proxies.kafka.address : stack.kafkaBrokers,
    REDIS_URL: proxies.redis.url,
    AWS_ENDPOINT_URL_S3: front?.url ?? `http://${storeHost}:${proxies.s3.port}`,
    AWS_ENDPOINT_URL_GLUE: proxies.glue.url,
    LAKE_BUCKET: bucket,
    LAKE_DATABASE: database,
    MILLRACE_HOME: home,
    PURCHASE_TOPIC: topic,
    SINK_TOPIC: topic,
    SINK_GROUP_ID: topic,
    QUERY_QUEUE_NAME: id,
    QUERY_FLOW_PROCESSES: processes.join(','),
    ...(front === undefined ? {} : { NODE_EXTRA_CA_CERTS: front.ca }),
    ...preloadEnv(home, distorted, powered),
    ...settings,
  };
  return { home, bucket, topic, proxies, front, disks, powered, env, ports };
}

/** Settings of the modules that the services preload. */
function preloadEnv(home: string, distorted: boolean, powered: PoweredFolder | undefined): Record<string, string> {
  const modules = [...(distorted ? ['distortion'] : []), ...(powered === undefined ? [] : ['power'])];
  if (modules.length === 0) return {};
  return {
    NODE_OPTIONS: modules.map((name) => `--import ${pathToFileURL(builtFile(`stage/${name}.js`)).href}`).join(' '),
    ...(distorted
      ? {
          CHAOS_DISTORTION_FILE: join(home, 'distortion.json'),
          CHAOS_DISTORTION_LOG: join(home, 'distortion.log'),
          CHAOS_STORE_NAME: storeName,
        }
      : {}),
    ...(powered === undefined ? {} : { CHAOS_POWER_FOLDER: powered.folder, CHAOS_POWER_COPY: powered.copies }),
  };
}

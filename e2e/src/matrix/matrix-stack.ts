import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FaultProxy, spawnService } from '@millrace/testing';
import { setUpLake } from '../set-up-lake.ts';
import { stack } from '../stack.ts';
import { createTopic, deleteTopic } from '../topic.ts';
import { shortSettings } from './short-settings.ts';
import { WatchedService } from './watched-service.ts';

/** A proxy for every dependency. */
export interface MatrixProxies {
  readonly kafka: FaultProxy;
  readonly redis: FaultProxy;
  readonly s3: FaultProxy;
  readonly glue: FaultProxy;
  readonly athena: FaultProxy;
}

/** All services on the parts of the stack, each dependency behind a proxy, with a topic and a lake of their own. */
export interface MatrixStack {
  readonly proxies: MatrixProxies;
  readonly topic: string;
  readonly bucket: string;
  readonly purchase: WatchedService;
  readonly sink: WatchedService;
  readonly queryApi: WatchedService;
  readonly queryWorker: WatchedService;
  /** Starts a sink of another topic, which holds nothing, and does not wait until it is ready. */
  startLateSink(): Promise<WatchedService>;
  close(): Promise<void>;
}

/** Starts it. */
export async function startMatrixStack(): Promise<MatrixStack> {
  const id = randomUUID().slice(0, 8);
  const [topic, emptyTopic] = await Promise.all([createTopic('e2e-matrix'), createTopic('e2e-matrix-late')]);
  const bucket = `matrix-${id}`;
  const database = `matrix_${id}`;
  await setUpLake({ LAKE_BUCKET: bucket, LAKE_DATABASE: database });

  const proxies: MatrixProxies = {
    kafka: await FaultProxy.start({ protocol: 'kafka', target: stack.kafkaProxiedBrokers, port: stack.kafkaAdvertisedPort }),
    redis: await FaultProxy.start({ protocol: 'tcp', target: stack.redisUrl }),
    s3: await FaultProxy.start({ protocol: 'http', target: stack.awsUrl }),
    glue: await FaultProxy.start({ protocol: 'http', target: stack.awsUrl }),
    athena: await FaultProxy.start({ protocol: 'http', target: stack.awsUrl }),
  };
  const home = join(stack.home, `matrix-${id}`);
  const env = {
    KAFKA_BROKERS: proxies.kafka.address,
    REDIS_URL: proxies.redis.url,
    AWS_ENDPOINT_URL_S3: proxies.s3.url,
    AWS_ENDPOINT_URL_GLUE: proxies.glue.url,
    AWS_ENDPOINT_URL_ATHENA: proxies.athena.url,
    LAKE_BUCKET: bucket,
    LAKE_DATABASE: database,
    MILLRACE_HOME: home,
  };
  const sinkEnv = { ...env, ...shortSettings('SINK') };
  const queryEnv = { ...env, ...shortSettings('QUERY'), QUERY_QUEUE_NAME: `matrix-${id}` };
  const services = await Promise.all([
    // Without an outbox: the row of Kafka shows that purchases are refused then. apps/purchase tests the outbox.
    spawnService('purchase', { ...env, ...shortSettings('PURCHASE'), PURCHASE_TOPIC: topic }),
    spawnService('sink', { ...sinkEnv, SINK_TOPIC: topic, SINK_GROUP_ID: topic }),
    spawnService('query-api', queryEnv),
    spawnService('query-worker', queryEnv),
  ]);
  const [purchase, sink, queryApi, queryWorker] = services.map((service) => new WatchedService(service)) as [
    WatchedService,
    WatchedService,
    WatchedService,
    WatchedService,
  ];
  return {
    proxies,
    topic,
    bucket,
    purchase,
    sink,
    queryApi,
    queryWorker,
    async startLateSink() {
      const lateEnv = { ...sinkEnv, SINK_TOPIC: emptyTopic, SINK_GROUP_ID: emptyTopic, SINK_SPOOL_DIR: join(home, 'late-spool') };
      return new WatchedService(await spawnService('sink', lateEnv, { until: 'live' }));
    },
    async close() {
      for (const proxy of Object.values(proxies) as FaultProxy[]) await proxy.clear();
      await Promise.all(services.map(async (service) => await service.kill()));
      for (const proxy of Object.values(proxies) as FaultProxy[]) await proxy.close();
      await deleteTopic(topic);
      await deleteTopic(emptyTopic);
      await rm(home, { recursive: true, force: true });
    },
  };
}

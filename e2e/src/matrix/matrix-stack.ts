import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { FaultProxy, spawnService } from '@millrace/testing';
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

/** All services on the parts of the stack, each dependency behind a proxy, with a lake of their own. */
export interface MatrixStack {
  readonly proxies: MatrixProxies;
  readonly topic: string;
  readonly bucket: string;
  readonly purchase: WatchedService;
  readonly sink: WatchedService;
  readonly queryApi: WatchedService;
  readonly queryWorker: WatchedService;
  close(): Promise<void>;
}

/** Starts it. */
export async function startMatrixStack(): Promise<MatrixStack> {
  const id = randomUUID().slice(0, 8);
  const topic = await createTopic('e2e-matrix');
  const bucket = `matrix-${id}`;
  const s3 = new S3Client({ endpoint: stack.awsUrl, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  s3.destroy();

  const proxies: MatrixProxies = {
    kafka: await FaultProxy.start({ protocol: 'kafka', target: stack.kafkaProxiedBrokers, port: stack.kafkaAdvertisedPort }),
    redis: await FaultProxy.start({ protocol: 'tcp', target: stack.redisUrl }),
    s3: await awsProxy(),
    glue: await awsProxy(),
    athena: await awsProxy(),
  };
  const env = {
    KAFKA_BROKERS: proxies.kafka.address,
    REDIS_URL: proxies.redis.url,
    AWS_ENDPOINT_URL_S3: proxies.s3.url,
    AWS_ENDPOINT_URL_GLUE: proxies.glue.url,
    AWS_ENDPOINT_URL_ATHENA: proxies.athena.url,
    LAKE_BUCKET: bucket,
    LAKE_DATABASE: `matrix_${id}`,
    MILLRACE_HOME: join(stack.home, `matrix-${id}`),
  };
  const sink = new WatchedService(await spawnService('sink', { ...env, ...shortSettings('SINK'), SINK_TOPIC: topic, SINK_GROUP_ID: `matrix-${id}`, SINK_FLUSH_SECONDS: '1' }));
  const query = { ...env, ...shortSettings('QUERY'), QUERY_QUEUE_NAME: `matrix-${id}` };
  const [purchase, queryApi, queryWorker] = await Promise.all([
    spawnService('purchase', { ...env, ...shortSettings('PURCHASE'), PURCHASE_TOPIC: topic }),
    spawnService('query-api', query),
    spawnService('query-worker', query),
  ]);
  const watched = { purchase: new WatchedService(purchase), sink, queryApi: new WatchedService(queryApi), queryWorker: new WatchedService(queryWorker) };
  return {
    proxies,
    topic,
    bucket,
    ...watched,
    async close() {
      for (const proxy of Object.values(proxies)) await proxy.clear();
      await Promise.all(Object.values(watched).map(async ({ service }) => await service.kill()));
      for (const proxy of Object.values(proxies)) await proxy.close();
      await deleteTopic(topic);
      await rm(env.MILLRACE_HOME, { recursive: true, force: true });
    },
  };
}

async function awsProxy(): Promise<FaultProxy> {
  return await FaultProxy.start({ protocol: 'http', target: stack.awsUrl });
}

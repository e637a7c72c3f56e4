import { CreateBucketCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { streams, type Stream } from '@millrace/contracts';
import { readTopicSafety, replicationFor, topicRisks } from '@millrace/kafka';
import { kafkaAccessFrom, kafkajsAccess, kafkaRefusalOf, KafkaSettingsError } from '@millrace/kafka/access';
import { awsAccessFrom, GlueCatalog, LakeError, openLakeClients, lakeConfigFrom, lakeRoot } from '@millrace/lake';
import kafkajs from 'kafkajs';
import { StackError } from './errors.mjs';
import type { Env } from './places.mjs';
import { serviceEnv, type Settings } from './settings.ts';

/** Opens clients of the lake's S3 and Glue with the access that the services get. */
export function lakeClients(settings: Settings, env: Env): ReturnType<typeof openLakeClients> {
  return openLakeClients(awsAccessFrom(serviceEnv(settings, env)));
}

/**
 * Creates the lake of this stack: see {@link createLake}.
 *
 * @param list default: every declared stream
 */
export async function setUpLake(settings: Settings, env: Env, list: readonly Stream[] = streams): Promise<string[]> {
  return await createLake(settings, serviceEnv(settings, env), list);
}

/**
 * Creates the bucket, and topic, database and table of each stream, where they are missing.
 *
 * @param env names Kafka, S3 and Glue and the access to them, as the services read it
 * @returns the risks of topics that exist already, each as a sentence
 * @throws StackError when the topic exists with fewer partitions than its contract: Kafka never removes one, so it is another topic; or
 * when a setting of the bucket is not valid
 */
export async function createLake(
  { bucket, database }: Pick<Settings, 'bucket' | 'database'>,
  env: Env,
  list: readonly Stream[],
): Promise<string[]> {
  const root = rootOf(bucket, env);
  const risks: string[] = [];
  try {
    for (const stream of list) risks.push(...(await createTopic(kafkaOf(env), stream)));
  } catch (error) {
    const refusal = kafkaRefusalOf(error);
    throw refusal === undefined ? error : new StackError(`${refusal.message} Remedy: ${refusal.remedy}.`);
  }
  const { s3, glue } = openLakeClients(awsAccessFrom(env));
  await createBucket(s3, bucket);
  for (const stream of list) await new GlueCatalog(glue, stream, root, undefined, database).ensureTable();
  return risks;
}

/**
 * Bucket and prefix of the lake.
 *
 * @throws StackError when a setting of the bucket is not valid
 */
export function rootOf(bucket: string, env: Env): string {
  try {
    return lakeRoot(bucket, lakeConfigFrom(env).LAKE_PREFIX);
  } catch (error) {
    throw error instanceof LakeError ? new StackError(error.message) : error;
  }
}

async function createBucket(s3: S3Client, bucket: string): Promise<void> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch {
    // A store that refuses HEAD may still allow the creation, whose error says more, because an answer to HEAD has no body.
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  }
}

function kafkaOf(env: Env): kafkajs.Kafka {
  try {
    const access = kafkajsAccess(kafkaAccessFrom(env));
    return new kafkajs.Kafka({ ...access, logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 5 } });
  } catch (error) {
    if (error instanceof KafkaSettingsError) throw new StackError(error.message);
    throw error;
  }
}

/** Creates the topic, or returns the risks of the existing one. */
async function createTopic(kafka: kafkajs.Kafka, { topic }: Stream): Promise<string[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const existing = (await admin.listTopics()).includes(topic.name);
    if (!existing) {
      const { replicas, inSync } = replicationFor((await admin.describeCluster()).brokers.length);
      const config = { ...topic.config, 'min.insync.replicas': String(inSync) };
      await admin.createTopics({
        // A broker may not know a new topic yet when it is asked for its leaders; the services wait until they reach it.
        waitForLeaders: false,
        topics: [
          {
            topic: topic.name,
            numPartitions: topic.partitions,
            replicationFactor: replicas,
            configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
          },
        ],
      });
      return [];
    }
    const found = await readTopicSafety(admin, topic.name);
    if (found.partitions < topic.partitions) {
      throw new StackError(
        `The topic ${topic.name} has ${found.partitions} of at least ${topic.partitions} partitions. Add partitions, or use another topic.`,
      );
    }
    return topicRisks(found);
  } finally {
    await admin.disconnect();
  }
}
